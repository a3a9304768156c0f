import static org.junit.jupiter.api.Assertions.assertFalse;

import java.net.Socket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Stompbox.class)
class RecipeTest {
  private String talk(String... frames) throws Exception {
    try (Socket peer = new Socket("127.0.0.1", Stompbox.port())) {
      String all = "CONNECT\n\n\0" + String.join("\0", frames) + "\0";
      peer.getOutputStream().write(all.getBytes());
      StringBuilder heard = new StringBuilder();
      while (heard.indexOf("receipt-id:done") < 0) {
        int next = peer.getInputStream().read();
        if (next < 0) throw new IllegalStateException("closed after: " + heard);
        heard.append((char) next);
      }
      return heard.toString();
    }
  }

  @Test
  void sends() throws Exception {
    assertFalse(talk("SEND\ndestination:/queue/q\nreceipt:done\n\nx").contains("ERROR"));
  }

  @Test
  void findsAnEmptyBroker() throws Exception {
    assertFalse(talk("SUBSCRIBE\ndestination:/queue/q\nid:1\n\n",
        "SEND\ndestination:/queue/other\nreceipt:done\n\nx").contains("MESSAGE"));
  }
}
