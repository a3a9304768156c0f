<?php
// The PHP side of clients_test.py: php_client.php PORT CASE. Exit code 0 when all was right; what
// is thrown is the failure. php-stomp speaks 1.0; hosts are tcp://, TLS is not in Debian's build.

const FOREVER = 20;

[, $port, $case] = $argv;
$binary = str_repeat(implode('', array_map('chr', range(0, 255))), 40);
$large = str_repeat('0123456789abcdef', 1 << 16);

function check($what, $given, $wanted)
{
    if ($given !== $wanted) {
        throw new Exception("$what: " . substr(var_export($given, true), 0, 200)
            . ', not ' . substr(var_export($wanted, true), 0, 200));
    }
}

function connected()
{
    $stomp = new Stomp("tcp://localhost:{$GLOBALS['port']}", '', '');
    $stomp->setReadTimeout(FOREVER);
    return $stomp;
}

function take($stomp)
{
    $frame = $stomp->readFrame();
    check('frame', $frame !== false, true);
    check('command', $frame->command, 'MESSAGE');
    return $frame;
}

// With a receipt, php-stomp waits for it.
function publish($stomp, $body, $headers = [])
{
    check('receipt', $stomp->send('/queue/q', $body, $headers + ['receipt' => 'sent']), true);
}

function subscribe($stomp, $ack, $queue = '/queue/q')
{
    check('subscribe', $stomp->subscribe($queue, ['ack' => $ack, 'receipt' => 'in']), true);
}

// What is left in the queue, to the last.
function check_left(...$wanted)
{
    $stomp = connected();
    publish($stomp, 'the end');
    subscribe($stomp, 'auto');
    $left = [];
    while (($body = take($stomp)->body) !== 'the end') {
        $left[] = $body;
    }
    check('left', $left, $wanted);
}

$cases = [
    'bodies' => function () use ($binary, $large) {
        $stomp = connected();
        check('session', strlen($stomp->getSessionId()) > 0, true);
        foreach (['text', $binary, $large] as $body) {
            publish($stomp, $body, ['kind' => 'greeting']);
        }
        subscribe($stomp, 'auto');
        foreach (['text', $binary, $large] as $body) {
            $frame = take($stomp);
            check('body', $frame->body, $body);
            check('kind', $frame->headers['kind'], 'greeting');
        }
        check('unsubscribe', $stomp->unsubscribe('/queue/q', ['receipt' => 'out']), true);
        publish($stomp, 'unseen');
        unset($stomp);
        check_left('unseen');
    },

    'acks' => function () {
        $stomp = connected();
        foreach (['0', '1', '2', '3'] as $body) {
            publish($stomp, $body);
        }
        subscribe($stomp, 'client');
        $frames = [take($stomp), take($stomp), take($stomp), take($stomp)];
        check('ack', $stomp->ack($frames[1], ['receipt' => 'acked']), true);
        unset($stomp);
        check_left('2', '3');
    },

    'nack' => function () {
        $stomp = connected();
        publish($stomp, 'again');
        subscribe($stomp, 'client');
        $stomp->nack(take($stomp));
        $frame = take($stomp);
        check('came back', [$frame->body, $frame->headers['redelivered']], ['again', 'true']);
        unset($stomp);
        check_left('again');
    },

    'transactions' => function () {
        $stomp = connected();
        publish($stomp, 'taken');
        subscribe($stomp, 'client');
        $frame = take($stomp);
        foreach (['abort', 'commit'] as $end) {
            check('begin', $stomp->begin('t', ['receipt' => 'begun']), true);
            check('send', $stomp->send('/queue/q', $end, ['transaction' => 't']), true);
            check('ack', $stomp->ack($frame, ['transaction' => 't']), true);
            check($end, $stomp->$end('t', ['receipt' => $end]), true);
        }
        unset($stomp);
        check_left('commit');
    },

    'reply_to' => function () {
        [$server, $client] = [connected(), connected()];
        subscribe($server, 'auto', '/queue/requests');
        subscribe($client, 'auto', '/temp-queue/answers');
        $client->send('/queue/requests', 'ping', ['reply-to' => '/temp-queue/answers']);
        $server->send(take($server)->headers['reply-to'], 'pong');
        check('reply', take($client)->body, 'pong');
    },

    'error' => function () {
        $stomp = connected();
        check('commit', $stomp->commit('none', ['receipt' => 'r']), false);
        check('message', strlen($stomp->error()) > 0, true);
    },
];

set_time_limit(50);
$cases[$case]();
