# The Perl side of clients_test.py: perl_client.pl PORT CASE [AUTHORITY]. Exit code 0 when all was
# right; the first thing that was not is the failure. Net::Stomp speaks 1.0 unless told otherwise.

use strict;
use warnings;
use Net::Stomp;

$| = 1;
my ($port, $case, $authority) = @ARGV;
my $binary = join('', map { chr } 0 .. 255) x 40;
my $large = '0123456789abcdef' x (1 << 16);

sub check {
    my ($what, $given, $wanted) = @_;
    $given = '(undefined)' unless defined $given;
    die "$what: '" . substr($given, 0, 200) . "', not '" . substr($wanted, 0, 200) . "'\n"
        unless $given eq $wanted;
}

sub connected {
    my (%headers) = @_;
    my %secure = $authority
        ? (ssl => 1, ssl_options => { SSL_ca_file => $authority, SSL_hostname => 'localhost' })
        : ();
    my $stomp = Net::Stomp->new({ hosts => [{ hostname => 'localhost', port => $port, %secure }],
                                  connect_delay => 0, reconnect_attempts => 0, timeout => 20 });
    check('answer', $stomp->connect(\%headers)->command, 'CONNECTED');
    return $stomp;
}

sub take {
    my ($stomp) = @_;
    my $frame = $stomp->receive_frame or die "no frame\n";
    check('command of ' . $frame->as_string, $frame->command, 'MESSAGE');
    return $frame;
}

sub publish {
    my ($stomp, $body, %more) = @_;
    $stomp->send_with_receipt({ destination => '/queue/q', body => $body, %more })
        or die "no receipt\n";
}

# What is left in the queue, to the last.
sub check_left {
    my (@wanted) = @_;
    my $stomp = connected();
    publish($stomp, 'the end');
    $stomp->subscribe({ destination => '/queue/q', ack => 'auto' });
    my @left = map { take($stomp)->body } 0 .. @wanted;
    check('left', join(' ', @left), join(' ', @wanted, 'the end'));
    $stomp->disconnect;
}

my %cases = (
    bodies => sub {
        my $stomp = connected();
        my @bodies = ('text', $binary, $large, '');
        publish($stomp, $_, 'content-length' => length($_), kind => 'greeting') for @bodies;
        $stomp->subscribe({ destination => '/queue/q', ack => 'auto' });
        for my $body (@bodies) {
            my $frame = take($stomp);
            check('body', $frame->body, $body);
            check('kind', $frame->headers->{kind}, 'greeting');
        }
        $stomp->unsubscribe({ destination => '/queue/q' });
        publish($stomp, 'unseen');
        $stomp->disconnect;
        check_left('unseen');
    },

    ack_client => sub {
        my $stomp = connected();
        publish($stomp, $_) for 0 .. 3;
        $stomp->subscribe({ destination => '/queue/q', ack => 'client' });
        my @frames = map { take($stomp) } 0 .. 3;
        $stomp->ack({ frame => $frames[1] });
        $stomp->disconnect;
        check_left(2, 3);
    },

    ack_individual_and_nack => sub {
        my $stomp = connected('accept-version' => '1.1', host => 'localhost');
        publish($stomp, $_) for qw(a b c);
        $stomp->subscribe({ destination => '/queue/q', ack => 'client-individual', id => 's' });
        my @frames = map { take($stomp) } 0 .. 2;
        $stomp->ack({ frame => $frames[1], subscription => 's' });
        $stomp->nack({ frame => $frames[0], subscription => 's' });
        my $again = take($stomp);
        check('body', $again->body, 'a');
        check('redelivered', $again->headers->{redelivered}, 'true');
        $stomp->disconnect;
        check_left('a', 'c');
    },

    # In 1.2 ACK names the header `ack`, which Net::Stomp leaves to its callers.
    ack_of_1_2 => sub {
        my $stomp = connected('accept-version' => '1.2', host => 'localhost');
        publish($stomp, 'x');
        $stomp->subscribe({ destination => '/queue/q', ack => 'client', id => 's' });
        my $frame = take($stomp);
        $stomp->ack({ frame => $frame, id => $frame->headers->{ack}, receipt => 'acked' });
        check('receipt', $stomp->receive_frame->headers->{'receipt-id'}, 'acked');
        $stomp->disconnect;
        check_left();
    },

    transactions => sub {
        my $stomp = connected();
        my $send = sub {
            my ($command, %headers) = @_;
            my $body = delete $headers{body};
            $stomp->send_frame(Net::Stomp::Frame->new(
                { command => $command, headers => \%headers, body => $body }));
        };
        publish($stomp, 'taken');
        $stomp->subscribe({ destination => '/queue/q', ack => 'client' });
        my $frame = take($stomp);
        for my $end (qw(ABORT COMMIT)) {
            $send->('BEGIN', transaction => 't');
            $stomp->send({ destination => '/queue/q', body => $end, transaction => 't' });
            $stomp->ack({ frame => $frame, transaction => 't' });
            $send->($end, transaction => 't', receipt => $end);
            my $receipt;
            do { $receipt = $stomp->receive_frame } until $receipt->command eq 'RECEIPT';
            check('receipt', $receipt->headers->{'receipt-id'}, $end);
        }
        $stomp->disconnect;
        check_left('COMMIT');
    },

    # Its own call waits for the receipt of the SEND before it sends COMMIT.
    send_transactional => sub {
        my $stomp = connected();
        my $receipt;
        my $good = $stomp->send_transactional(
            { destination => '/queue/q', body => 'whole', timeout => 10 }, $receipt);
        check('good', $good, 1);
        check('receipt', $receipt->command, 'RECEIPT');
        $stomp->disconnect;
        check_left('whole');
    },

    reply_to => sub {
        my ($server, $client) = (connected(), connected());
        $server->subscribe({ destination => '/queue/requests', ack => 'auto' });
        $client->subscribe({ destination => '/temp-queue/answers', ack => 'auto' });
        $client->send({ destination => '/queue/requests', body => 'ping',
                        'reply-to' => '/temp-queue/answers' });
        my $request = take($server);
        $server->send({ destination => $request->headers->{'reply-to'}, body => 'pong' });
        check('reply', take($client)->body, 'pong');
        $_->disconnect for $server, $client;
    },

    reconnect => sub {
        my $stomp = connected();
        publish($stomp, 'kept');
        print "sent\n";
        check('told', scalar(<STDIN>), "it is back\n");
        $stomp->subscribe({ destination => '/queue/q', ack => 'client' });
        my $frame;
        until (defined $frame) { $frame = $stomp->receive_frame({ timeout => 20 }) }
        check('body', $frame->body, 'kept');
        check('redelivered', $frame->headers->{redelivered}, 'true');
        $stomp->ack({ frame => $frame, receipt => 'acked' });
        check('receipt', $stomp->receive_frame->headers->{'receipt-id'}, 'acked');
        $stomp->disconnect;
    },
);

$SIG{ALRM} = sub { die "it takes too long\n" };
alarm 50;
$cases{$case}->();
