require_relative "spec_helper"

RSpec.describe "a suite with a broker of its own" do
  def talk(*frames)
    TCPSocket.open("127.0.0.1", STOMP_PORT) do |peer|
      (["CONNECT\n\n"] + frames).each { |frame| peer.write(frame + "\0") }
      heard = ""
      heard << peer.readpartial(4096) until heard.include?("receipt-id:done")
      heard
    end
  end

  it "sends" do
    expect(talk("SEND\ndestination:/queue/q\nreceipt:done\n\nx")).not_to include("ERROR")
  end

  it "finds an empty broker" do
    heard = talk("SUBSCRIBE\ndestination:/queue/q\nid:1\n\n",
                 "SEND\ndestination:/queue/other\nreceipt:done\n\nx")
    expect(heard).not_to include("MESSAGE")
  end
end
