package io.felice.cluster.zookeeper;

import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;

/**
 * The proved end of a process whose session goes on. Its znodes are deleted in the multi that records what follows from the
 * end: the election of another controller, or the change of the metadata log that says that its broker is gone. So nobody
 * ever sees one of the two without the other.
 *
 * @param session in hexadecimal digits, as in {@link Paths#alive(long)}
 * @param deletions of the znode that is named after the session, and of all others that the session had. They fail if the
 *     session has ended, or if one of its znodes has changed
 * @param brokerEpochs of the brokers that are registered in the session
 * @param isController true if the session has {@code /controller}
 * @param outcome called with the answer to the multi that had the deletions. OK if all are deleted
 */
record Death(String session, List<Op> deletions, Set<Long> brokerEpochs, boolean isController, Consumer<Code> outcome) {
    Death {
        deletions = List.copyOf(deletions);
        brokerEpochs = Set.copyOf(brokerEpochs);
    }
}
