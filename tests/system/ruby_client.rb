# The Ruby side of clients_test.py: ruby_client.rb PORT CASE VERSION. Exit code 0 when all was
# right; whatever is raised is the failure.

require 'digest'
require 'stomp'
require 'timeout'

PORT = Integer(ARGV[0])
VERSION = ARGV[2]
BINARY = ((0..255).map(&:chr).join.b * 40).freeze
LARGE = ('0123456789abcdef' * (1 << 16)).freeze
KEPT = {}

def check(what, given, wanted)
  raise "#{what}: #{given.inspect}, not #{wanted.inspect}" unless given == wanted
end

def connect(extra = {}, **settings)
  headers = VERSION == '1.0' ? {} : { 'accept-version' => VERSION, 'host' => 'localhost' }
  connection = Stomp::Connection.new(
    { hosts: [{ host: 'localhost', port: PORT }], reliable: false, usecrlf: false,
      connect_headers: headers.merge(extra) }.merge(settings)
  )
  check('CONNECTED', connection.connection_frame.command, Stomp::CMD_CONNECTED)
  check('version', connection.protocol, VERSION)
  connection
end

# A message may come before the receipt of its SEND: kept for take().
def await_receipt(connection, name)
  until (frame = connection.receive).command == 'RECEIPT'
    check('answer', frame.command, 'MESSAGE')
    (KEPT[connection] ||= []) << frame
  end
  check('receipt', frame.headers['receipt-id'], name)
end

def take(connection)
  (KEPT[connection] ||= []).shift || connection.receive
end

def publish(connection, body, headers = {})
  connection.publish('/queue/q', body, headers.merge('receipt' => 'sent'))
  await_receipt(connection, 'sent')
end

def subscribe(connection, ack)
  id = connection.uuid
  connection.subscribe('/queue/q', { 'ack' => ack, 'id' => id, 'receipt' => 'subscribed' }, id)
  await_receipt(connection, 'subscribed')
  id
end

def acknowledge(connection, message, subscription, verb = :ack)
  key = VERSION == '1.2' ? 'ack' : 'message-id'
  headers = VERSION == '1.1' ? { 'subscription' => subscription } : {}
  connection.send(verb, message.headers[key], headers)
end

# What a second connection finds in the queue: bodies, all of them redelivered.
def left(count)
  connection = connect
  subscribe(connection, 'auto')
  messages = Array.new(count) { take(connection) }
  again = messages.map { |message| message.headers['redelivered'] }
  check('redelivered', again, ['true'] * count)
  publish(connection, 'the end')
  check('last', take(connection).body, 'the end')
  messages.map(&:body)
end

def send_and_receive
  connection = connect
  subscription = subscribe(connection, 'auto')
  publish(connection, 'hello', 'kind' => 'greeting')
  message = take(connection)
  check('message', [message.command, message.body, message.headers['destination'],
                    message.headers['subscription'], message.headers['kind']],
        ['MESSAGE', 'hello', '/queue/q', subscription, 'greeting'])
  connection.disconnect
end

def ack_client
  connection = connect
  4.times { |i| publish(connection, i.to_s) }
  subscription = subscribe(connection, 'client')
  messages = Array.new(4) { take(connection) }
  check('order', messages.map(&:body), %w[0 1 2 3])
  acknowledge(connection, messages[1], subscription)
  connection.disconnect('receipt' => 'bye')
  check('left', left(2), %w[2 3])
end

def ack_individual
  connection = connect
  3.times { |i| publish(connection, i.to_s) }
  subscription = subscribe(connection, 'client-individual')
  messages = Array.new(3) { take(connection) }
  acknowledge(connection, messages[1], subscription)
  connection.disconnect('receipt' => 'bye')
  check('left', left(2), %w[0 2])
end

def nack
  connection = connect
  publish(connection, 'again')
  subscription = subscribe(connection, 'client-individual')
  acknowledge(connection, take(connection), subscription, :nack)
  message = take(connection)
  check('came back', [message.body, message.headers['redelivered']], %w[again true])
  acknowledge(connection, message, subscription)
  connection.disconnect('receipt' => 'bye')
  check('left', left(0), [])
end

def binary_body
  connection = connect
  subscribe(connection, 'auto')
  publish(connection, BINARY)
  check('digest', Digest::SHA1.hexdigest(take(connection).body), Digest::SHA1.hexdigest(BINARY))
  connection.disconnect
end

def large_body
  connection = connect
  subscribe(connection, 'auto')
  publish(connection, LARGE)
  check('digest', Digest::SHA1.hexdigest(take(connection).body), Digest::SHA1.hexdigest(LARGE))
  connection.disconnect
end

def headers_of_all_kinds
  connection = connect
  subscribe(connection, 'auto')
  sent = { 'city' => 'Köln ✓' }
  sent['escaped'] = "a:b\\d\ne" unless VERSION == '1.0'
  publish(connection, 'x', sent)
  headers = take(connection).headers
  sent.each { |name, value| check(name, headers[name].dup.force_encoding('UTF-8'), value) }
  connection.disconnect
end

# What an ABORT undoes, a COMMIT does: the ACK and the SENDs.
def transactions
  connection = connect
  publish(connection, 'taken')
  subscription = subscribe(connection, 'client')
  message = take(connection)
  %w[abort commit].each do |ending|
    connection.begin('t')
    %w[one two].each { |part| connection.publish('/queue/q', ending + part, transaction: 't') }
    key = VERSION == '1.2' ? 'ack' : 'message-id'
    headers = VERSION == '1.1' ? { 'subscription' => subscription } : {}
    connection.ack(message.headers[key], headers.merge('transaction' => 't'))
    connection.send(ending, 't', 'receipt' => ending)
    await_receipt(connection, ending)
  end
  connection.disconnect('receipt' => 'bye')
  check('left', left(2), %w[commitone committwo])
end

# The gem's own dead letters: in one transaction it takes a message and sends it again, until it
# has done so too often.
def unreceive
  connection = connect
  publish(connection, 'poison', 'kind' => 'bad')
  connection.subscribe('/queue/q', 'ack' => 'client')
  connection.subscribe('/queue/DLQ', 'ack' => 'auto')
  2.times do |tries|
    message = take(connection)
    check('retry_count', message.headers['retry_count'], tries.zero? ? nil : tries.to_s)
    connection.unreceive(message, max_redeliveries: 1, force_client_ack: true)
  end
  letter = take(connection)
  headers = %w[destination original_destination kind retry_count content-length]
  check('letter', [letter.body, *letter.headers.values_at(*headers)],
        ['poison', '/queue/DLQ', '/queue/q', 'bad', '2', '6'])
  connection.disconnect('receipt' => 'bye')
  check('left', left(0), [])
end

# The reply goes to a temporary queue that only its owner reads.
def reply_to
  server = connect
  client = connect
  server.subscribe('/queue/requests', { 'ack' => 'auto', 'id' => 'r', 'receipt' => 'in' }, 'r')
  await_receipt(server, 'in')
  client.subscribe('/temp-queue/answers', { 'ack' => 'auto', 'id' => 'a' }, 'a')
  client.publish('/queue/requests', 'ping', 'reply-to' => '/temp-queue/answers')
  server.publish(take(server).headers['reply-to'], 'pong')
  check('reply', take(client).body, 'pong')
  [server, client].each(&:disconnect)
end

# A durable subscription keeps what comes while its owner is away.
def durable_subscription
  owner = { 'client-id' => 'reader' }
  name = { 'activemq.subscriptionName' => 'news', 'id' => 'd', 'ack' => 'auto' }
  2.times do |visit|
    reader = connect(owner)
    reader.subscribe('/topic/t', name.merge('receipt' => 'in'), 'd')
    await_receipt(reader, 'in')
    check('kept', take(reader).body, 'while away') if visit == 1
    reader.disconnect('receipt' => 'bye')
    next unless visit.zero?

    writer = connect
    writer.publish('/topic/t', 'while away', 'receipt' => 'sent', 'persistent' => 'true')
    await_receipt(writer, 'sent')
    writer.disconnect
  end
end

# TLS with a client certificate: AUTHORITY, CERTIFICATE and KEY are the last arguments.
def tls
  authority, certificate, key = ARGV[3..5]
  ssl = Stomp::SSLParams.new(ts_files: authority, cert_file: certificate, key_file: key)
  hosts = [{ host: 'localhost', port: PORT, ssl: ssl }]
  connection = connect({}, hosts: hosts, hbser: true)
  subscribe(connection, 'auto')
  publish(connection, BINARY)
  check('body', take(connection).body.b, BINARY)
  publish(connection, LARGE)
  check('digest', Digest::SHA1.hexdigest(take(connection).body), Digest::SHA1.hexdigest(LARGE))
  connection.disconnect
end

# The first host of the list does not answer, so it is the second.
def failover
  closed = TCPServer.new('127.0.0.1', 0)
  nobody = closed.addr[1]
  closed.close
  hosts = [nobody, PORT].map { |port| { host: 'localhost', port: port } }
  client = Stomp::Client.new(hosts: hosts, reliable: true, initial_reconnect_delay: 0.01,
                             logger: Stomp::NullLogger.new)
  received = Queue.new
  client.subscribe('/queue/q') { |message| received << message.body }
  client.publish('/queue/q', 'found')
  check('received', received.pop, 'found')
  client.close
end

# Until the block is true; the script's own time limit ends a wait that is in vain.
def wait_until
  sleep 0.02 until yield
end

def heart_beats
  connection = connect({ 'heart-beat' => '200,200' })
  check('agreed', [connection.hbsend_interval.positive?, connection.hbrecv_interval.positive?],
        [true, true])
  wait_until { connection.hbsend_count > 3 && connection.hbrecv_count > 3 }
  check('beats', [connection.hbsend_count > 3, connection.hbrecv_count > 3], [true, true])
  publish(connection, 'still there')
  connection.disconnect
end

# Puppet's way to publish: positional, reliable, no receipt, no DISCONNECT.
def publish_and_exit
  client = Stomp::Client.new('', '', 'localhost', PORT, true)
  20.times { |i| client.publish('/queue/catalog', "catalog #{i}", persistent: true) }
  $stdout.flush
  exit!(0)
end

def reconnect
  headers = { 'accept-version' => VERSION, 'host' => 'localhost' }
  client = Stomp::Client.new(
    hosts: [{ host: 'localhost', port: PORT }], reliable: true, initial_reconnect_delay: 0.05,
    max_reconnect_delay: 0.1, connect_headers: headers, logger: Stomp::NullLogger.new
  )
  received = Queue.new
  client.subscribe('/queue/q', 'ack' => 'auto', 'id' => 'sub') do |message|
    received << message.body
  end
  client.publish('/queue/q', 'before')
  check('before', received.pop, 'before')
  puts 'received before'
  $stdout.flush
  check('told', $stdin.gets, "it is back\n")
  # A publish that the kernel took before the end was noticed is lost, so it is repeated; what was
  # taken with ack:auto just before the end may come again.
  wait_until do
    begin
      client.publish('/queue/q', 'after')
    rescue Stomp::Error::NoCurrentConnection
      # It is about to connect again.
    end
    received.length.positive? && received.pop == 'after'
  end
  client.close
end

Timeout.timeout(50) { send(ARGV[1]) }
