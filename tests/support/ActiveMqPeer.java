import java.io.File;
import org.apache.activemq.broker.BrokerService;

/** ActiveMQ with KahaDB and one STOMP port, and nothing else: ActiveMqPeer FOLDER PORT. */
public class ActiveMqPeer {
    public static void main(String[] arguments) throws Exception {
        BrokerService broker = new BrokerService();
        broker.setBrokerName("peer");
        broker.setUseJmx(false);
        broker.setUseShutdownHook(false);
        broker.setDataDirectoryFile(new File(arguments[0]));
        broker.getSystemUsage().getStoreUsage().setLimit(1L << 30);
        broker.getSystemUsage().getTempUsage().setLimit(1L << 30);
        broker.addConnector("stomp+nio://127.0.0.1:" + arguments[1]);
        broker.start();
        broker.waitUntilStarted();
        broker.waitUntilStopped();
    }
}
