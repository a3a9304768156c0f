const { spawn } = require("child_process"), fs = require("fs"), net = require("net"), os = require("os"), path = require("path");
const at = fs.mkdtempSync(path.join(os.tmpdir(), "stompbox-")), broker = (module.exports = {});
beforeAll(async () => {
  broker.process = spawn(process.env.STOMPBOX || "stompbox", ["serve", "--ephemeral", "--exit-when-stdin-closes", "--listen",
    "tcp://127.0.0.1:0", "--ready-file", at + "/ready", "--control-socket", at + "/door"], { stdio: ["pipe", "ignore", "inherit"] });
  while (!fs.existsSync(at + "/ready") && broker.process.exitCode === null) await new Promise((done) => setTimeout(done, 2));
  broker.port = Number(fs.readFileSync(at + "/ready", "utf8").match(/:(\d+)$/m)[1]);
});
beforeEach(() => new Promise((done) => {
  const door = net.connect(at + "/door", () => door.write('{"verb":"reset"}\n')).resume().on("close", done);
}));
afterAll(() => new Promise((done) => broker.process.exitCode === null ? broker.process.on("exit", done).stdin.end() : done()));
