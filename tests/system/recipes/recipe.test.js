const net = require("net");
const broker = require("./stompbox");

const talk = (...frames) => new Promise((done) => {
  let heard = "";
  const peer = net.connect(broker.port, "127.0.0.1");
  peer.write(["CONNECT\n\n", ...frames].map((frame) => frame + "\0").join(""));
  peer.on("data", (bytes) => {
    heard += bytes;
    if (heard.includes("receipt-id:done")) peer.destroy();
  }).on("close", () => done(heard));
});

test("sends", async () => {
  expect(await talk("SEND\ndestination:/queue/q\nreceipt:done\n\nx")).not.toContain("ERROR");
});

test("finds an empty broker", async () => {
  const heard = await talk("SUBSCRIBE\ndestination:/queue/q\nid:1\n\n",
    "SEND\ndestination:/queue/other\nreceipt:done\n\nx");
  expect(heard).not.toContain("MESSAGE");
});
