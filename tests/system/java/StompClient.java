// The Java side of clients_test.py: StompClient.java PORT VERSION. ActiveMQ's own StompConnection
// does all that it offers; exit code 0 when all was right, what is thrown is the failure.

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.activemq.transport.stomp.StompConnection;
import org.apache.activemq.transport.stomp.StompFrame;

public class StompClient {
  private static final long FOREVER_MS = 20_000;
  private static final String QUEUE = "/queue/q";

  private final int port;
  private final String version;

  private StompClient(int port, String version) {
    this.port = port;
    this.version = version;
  }

  public static void main(String[] arguments) throws Exception {
    StompClient client = new StompClient(Integer.parseInt(arguments[0]), arguments[1]);
    client.bodies();
    client.acks();
    client.individualAcksAndNack();
    client.transactions();
    client.heartBeats();
  }

  private static void check(String what, Object given, Object wanted) {
    if (!given.equals(wanted)) {
      throw new AssertionError(what + ": " + given + ", not " + wanted);
    }
  }

  private StompConnection connect(String heartBeat) throws Exception {
    StompConnection connection = new StompConnection();
    connection.open("localhost", port);
    HashMap<String, String> headers = new HashMap<>();
    if (!version.equals("1.0")) {
      headers.put("accept-version", version);
      headers.put("host", "localhost");
      headers.put("heart-beat", heartBeat);
    }
    connection.setVersion(version);
    connection.connect(headers);
    return connection;
  }

  private StompConnection connect() throws Exception {
    return connect("0,0");
  }

  private static HashMap<String, String> headers(String... namesAndValues) {
    HashMap<String, String> map = new HashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      map.put(namesAndValues[i], namesAndValues[i + 1]);
    }
    return map;
  }

  private static StompFrame expect(StompConnection connection, String action) throws Exception {
    StompFrame frame = connection.receive(FOREVER_MS);
    check("frame " + frame, frame.getAction(), action);
    return frame;
  }

  private static void frame(StompConnection connection, String command, Map<String, String> headers,
      byte[] body) throws Exception {
    StringBuilder text = new StringBuilder(command).append('\n');
    headers.forEach((name, value) -> text.append(name).append(':').append(value).append('\n'));
    connection.sendFrame(text.append('\n').toString(), Arrays.copyOf(body, body.length + 1));
  }

  private static void publish(StompConnection connection, String body, HashMap<String, String> more)
      throws Exception {
    HashMap<String, String> all = new HashMap<>(more);
    all.put("receipt", "sent");
    connection.send(QUEUE, body, null, all);
    check("receipt", expect(connection, "RECEIPT").getHeaders().get("receipt-id"), "sent");
  }

  private static void subscribe(StompConnection connection, String ack) throws Exception {
    connection.subscribe(QUEUE, ack, headers("id", "s", "receipt", "in"));
    expect(connection, "RECEIPT");
  }

  private void acknowledge(StompConnection connection, StompFrame message, String command,
      HashMap<String, String> more) throws Exception {
    Map<String, String> sent = message.getHeaders();
    HashMap<String, String> names = version.equals("1.2")
        ? headers("id", sent.get("ack"))
        : headers("message-id", sent.get("message-id"), "subscription", "s");
    names.putAll(more);
    frame(connection, command, names, new byte[0]);
  }

  private static List<String> take(StompConnection connection, int count) throws Exception {
    List<String> bodies = new ArrayList<>();
    while (bodies.size() < count) {
      bodies.add(expect(connection, "MESSAGE").getBody());
    }
    return bodies;
  }

  // Takes what is left in the queue, to the last.
  private void checkLeft(String... bodies) throws Exception {
    StompConnection connection = connect();
    publish(connection, "the end", headers());
    subscribe(connection, "auto");
    List<String> wanted = new ArrayList<>(Arrays.asList(bodies));
    wanted.add("the end");
    check("left", take(connection, wanted.size()), wanted);
    connection.disconnect();
    connection.close();
  }

  // DISCONNECT with a receipt: what it sent before is done.
  private static void leave(StompConnection connection) throws Exception {
    connection.disconnect("bye");
    StompFrame frame;
    do {
      frame = connection.receive(FOREVER_MS);
    } while (!frame.getAction().equals("RECEIPT"));
    check("receipt", frame.getHeaders().get("receipt-id"), "bye");
    connection.close();
  }

  private void bodies() throws Exception {
    StompConnection connection = connect();
    byte[] bytes = new byte[256 * 40];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) i;
    }
    String large = "0123456789abcdef".repeat(1 << 16);
    frame(connection, "SEND", headers("destination", QUEUE, "content-length", "" + bytes.length,
        "receipt", "sent", "kind", "greeting"), bytes);
    expect(connection, "RECEIPT");
    publish(connection, large, headers());
    publish(connection, "schön ✓", headers());
    subscribe(connection, "auto");
    StompFrame message = expect(connection, "MESSAGE");
    check("bytes", Arrays.equals(message.getContent(), bytes), true);
    check("kind", message.getHeaders().get("kind"), "greeting");
    check("large", take(connection, 1).get(0).equals(large), true);
    String text = new String(expect(connection, "MESSAGE").getContent(), StandardCharsets.UTF_8);
    check("text", text, "schön ✓");
    connection.unsubscribe(QUEUE, headers("id", "s", "receipt", "out"));
    expect(connection, "RECEIPT");
    publish(connection, "unseen", headers());
    leave(connection);
    checkLeft("unseen");
  }

  private void acks() throws Exception {
    StompConnection connection = connect();
    for (String body : List.of("0", "1", "2")) {
      publish(connection, body, headers());
    }
    subscribe(connection, "client");
    expect(connection, "MESSAGE");
    StompFrame second = expect(connection, "MESSAGE");
    expect(connection, "MESSAGE");
    if (version.equals("1.0")) {
      connection.ack(second);
    } else {
      acknowledge(connection, second, "ACK", headers("receipt", "acked"));
      expect(connection, "RECEIPT");
    }
    leave(connection);
    checkLeft("2");
  }

  private void individualAcksAndNack() throws Exception {
    if (version.equals("1.0")) {
      return;
    }
    StompConnection connection = connect();
    for (String body : List.of("0", "1")) {
      publish(connection, body, headers());
    }
    subscribe(connection, "client-individual");
    StompFrame first = expect(connection, "MESSAGE");
    acknowledge(connection, expect(connection, "MESSAGE"), "ACK",
        headers("receipt", "acked"));
    expect(connection, "RECEIPT");
    acknowledge(connection, first, "NACK", headers());
    StompFrame again = expect(connection, "MESSAGE");
    check("again", again.getBody() + again.getHeaders().get("redelivered"), "0true");
    leave(connection);
    checkLeft("0");
  }

  private void transactions() throws Exception {
    StompConnection connection = connect();
    publish(connection, "taken", headers());
    subscribe(connection, "client");
    StompFrame message = expect(connection, "MESSAGE");
    connection.begin("t");
    connection.send(QUEUE, "aborted", "t", headers());
    connection.abort("t");
    connection.begin("t");
    connection.send(QUEUE, "one", "t", headers());
    connection.send(QUEUE, "two", "t", headers());
    if (version.equals("1.0")) {
      connection.ack(message, "t");
    } else {
      acknowledge(connection, message, "ACK", headers("transaction", "t"));
    }
    connection.commit("t");
    leave(connection);
    checkLeft("one", "two");
  }

  // Its receive() skips what the broker beats; it sends its own on demand.
  private void heartBeats() throws Exception {
    if (version.equals("1.0")) {
      return;
    }
    StompConnection connection = connect("100,100");
    for (int i = 0; i < 20; i++) {
      connection.keepAlive();
      publish(connection, "beat " + i, headers());
    }
    leave(connection);
    checkLeft(IntStream.range(0, 20).mapToObj(i -> "beat " + i).toArray(String[]::new));
  }
}
