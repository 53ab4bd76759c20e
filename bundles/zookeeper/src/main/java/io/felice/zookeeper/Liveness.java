package io.felice.zookeeper;

import io.felice.api.Subscription;
import java.io.IOException;
import java.util.UUID;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Notices that the process of another broker has ended, earlier than ZooKeeper does. Each process has a socket to which
 * the others keep a connection. The kernel ends the connections of a killed process at once.
 *
 * <p>A proof can be wrong, for example if a firewall closes connections and refuses new ones. Who acts on a proof must
 * do no harm to a process that lives.
 */
@ProviderType
public interface Liveness {
    /**
     * The socket of a process.
     *
     * @param host a name or an address that other brokers reach the process at
     * @param port 1 to 65535
     * @param process another one at every start
     */
    record Address(String host, int port, UUID process) {}

    /**
     * Opens the socket of this process, unless it is open. It stays open until the process ends. Blocks: asks the
     * resolver.
     *
     * @param advertisedHost a host of this process that other brokers reach; not used if the operator has set one
     * @throws IOException if the port cannot be opened; the message is a sentence for the operator
     */
    Address open(String advertisedHost) throws IOException;

    /**
     * Watches another process until the subscription is closed. Does not block.
     *
     * @param onProof called at most once, on a thread of this service, when a connection to the process has ended
     *     without a farewell and nothing listens at its address any more. Must not block. A process that hangs or that
     *     is cut off is no proof
     */
    Subscription watch(Address other, Runnable onProof);
}
