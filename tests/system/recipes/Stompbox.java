import java.net.*; import java.nio.*; import java.nio.channels.*; import java.nio.file.*;
public class Stompbox implements org.junit.jupiter.api.extension.BeforeEachCallback {
  static final Path AT = start();  // the broker ends with this process, whose pipe it reads
  static int port() throws Exception { return Integer.parseInt(Files.readString(AT.resolve("ready")).strip().replaceAll(".*:", "")); }
  static Path start() { try { Path at = Files.createTempDirectory("stompbox");
    Process broker = new ProcessBuilder(System.getenv().getOrDefault("STOMPBOX", "stompbox"), "serve", "--ephemeral", "--exit-when-stdin-closes", "--listen",
      "tcp://127.0.0.1:0", "--ready-file", at + "/ready", "--control-socket", at + "/door").redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    while (!Files.exists(at.resolve("ready")) && broker.isAlive()) Thread.sleep(2);
    return at; } catch (Exception failed) { throw new IllegalStateException(failed); } }
  public void beforeEach(org.junit.jupiter.api.extension.ExtensionContext test) throws Exception {
    try (var door = SocketChannel.open(UnixDomainSocketAddress.of(AT.resolve("door")))) {
      door.write(ByteBuffer.wrap("{\"verb\":\"reset\"}\n".getBytes())); door.read(ByteBuffer.allocate(4096)); } }
}
