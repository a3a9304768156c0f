require "socket"; require "timeout"; require "tmpdir"
AT = Dir.mktmpdir("stompbox")
BROKER = IO.popen([ENV.fetch("STOMPBOX", "stompbox"), "serve", "--ephemeral", "--exit-when-stdin-closes", "--listen",
  "tcp://127.0.0.1:0", "--ready-file", "#{AT}/ready", "--control-socket", "#{AT}/door", { out: File::NULL }], "w")
Timeout.timeout(30) { sleep 0.002 until File.exist?("#{AT}/ready") || Process.wait(BROKER.pid, Process::WNOHANG) }
STOMP_PORT = File.read("#{AT}/ready")[/:(\d+)$/, 1].to_i
RSpec.configure do |config|
  config.before { UNIXSocket.open("#{AT}/door") { |door| door.puts('{"verb":"reset"}'); door.gets } }
  config.after(:suite) { BROKER.close }
end
