# The Ruby side of clients_test.py: ruby_client.rb PORT CASE VERSION. Exit code 0 when all was right;
# whatever is raised is the failure.

require 'digest'
require 'stomp'
require 'timeout'

PORT = Integer(ARGV[0])
VERSION = ARGV[2]
BINARY = ((0..255).map(&:chr).join.b * 40).freeze
LARGE = ('0123456789abcdef' * (1 << 16)).freeze

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

def id_of(connection)
  connection.uuid
end

def publish(connection, body, headers = {})
  connection.publish('/queue/q', body, headers.merge('receipt' => 'sent'))
  frame = connection.receive
  check('answer', [frame.command, frame.headers['receipt-id']], %w[RECEIPT sent])
end

def subscribe(connection, ack)
  id = id_of(connection)
  connection.subscribe('/queue/q', { 'ack' => ack, 'id' => id, 'receipt' => 'subscribed' }, id)
  frame = connection.receive
  check('answer', [frame.command, frame.headers['receipt-id']], %w[RECEIPT subscribed])
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
  messages = Array.new(count) { connection.receive }
  check('redelivered', messages.map { |m| m.headers['redelivered'] }.uniq, count.zero? ? [] : ['true'])
  publish(connection, 'the end')
  check('last', connection.receive.body, 'the end')
  messages.map(&:body)
end

def send_and_receive
  connection = connect
  subscription = subscribe(connection, 'auto')
  publish(connection, 'hello', 'kind' => 'greeting')
  message = connection.receive
  check('message', [message.command, message.body, message.headers['destination'],
                    message.headers['subscription'], message.headers['kind']],
        ['MESSAGE', 'hello', '/queue/q', subscription, 'greeting'])
  connection.disconnect
end

def ack_client
  connection = connect
  4.times { |i| publish(connection, i.to_s) }
  subscription = subscribe(connection, 'client')
  messages = Array.new(4) { connection.receive }
  check('order', messages.map(&:body), %w[0 1 2 3])
  acknowledge(connection, messages[1], subscription)
  connection.disconnect('receipt' => 'bye')
  check('left', left(2), %w[2 3])
end

def ack_individual
  connection = connect
  3.times { |i| publish(connection, i.to_s) }
  subscription = subscribe(connection, 'client-individual')
  messages = Array.new(3) { connection.receive }
  acknowledge(connection, messages[1], subscription)
  connection.disconnect('receipt' => 'bye')
  check('left', left(2), %w[0 2])
end

def nack
  connection = connect
  publish(connection, 'again')
  subscription = subscribe(connection, 'client-individual')
  acknowledge(connection, connection.receive, subscription, :nack)
  message = connection.receive
  check('came back', [message.body, message.headers['redelivered']], %w[again true])
  acknowledge(connection, message, subscription)
  connection.disconnect('receipt' => 'bye')
  check('left', left(0), [])
end

def binary_body
  connection = connect
  subscribe(connection, 'auto')
  publish(connection, BINARY)
  check('digest', Digest::SHA1.hexdigest(connection.receive.body), Digest::SHA1.hexdigest(BINARY))
  connection.disconnect
end

def large_body
  connection = connect
  subscribe(connection, 'auto')
  publish(connection, LARGE)
  check('digest', Digest::SHA1.hexdigest(connection.receive.body), Digest::SHA1.hexdigest(LARGE))
  connection.disconnect
end

def utf8_headers
  connection = connect
  subscribe(connection, 'auto')
  sent = { 'city' => 'Köln ✓' }
  sent['escaped'] = "a:b\\c\nd" unless VERSION == '1.0'
  publish(connection, 'x', sent)
  headers = connection.receive.headers
  sent.each { |name, value| check(name, headers[name], value) }
  connection.disconnect
end

def heart_beats
  connection = connect('heart-beat' => '200,200')
  raise 'no beats agreed' if connection.hb_send_interval.zero? || connection.hb_receive_interval.zero?
  sleep 2 # ten beats
  check('missed', [connection.hb_send_count.positive?, connection.hb_receive_count.positive?],
        [true, true])
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
  client.subscribe('/queue/q', 'ack' => 'auto', 'id' => 'sub') { |message| received << message.body }
  client.publish('/queue/q', 'before')
  check('before', received.pop, 'before')
  puts 'received before'
  $stdout.flush
  check('told', $stdin.gets, "it is back\n")
  # A publish that the kernel took before the end was noticed is lost, so it is repeated.
  until received.length.positive?
    client.publish('/queue/q', 'after')
    sleep 0.05
  end
  check('after', received.pop, 'after')
  client.close
end

Timeout.timeout(50) { send(ARGV[1]) }
