package io.felice.cluster.zookeeper;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The paths of all znodes.
 *
 * <pre>
 * /felice                       root
 *   /log                        the metadata log; data version = number of its batches; its data names the last writer
 *   /log/0000000017             one batch of metadata records
 *   /snapshots                  its data names the complete snapshots, the newest first
 *   /snapshots/0000000012/0000  one chunk of the state after batch 12
 *   /brokers/1                  ephemeral; its czxid is the broker epoch
 *   /alive/1000a5b8c2f0003      ephemeral, named after its session; where the session's process can be watched
 *   /controller                 ephemeral; its owner is the controller
 *   /controller_epoch           data version = controller epoch
 * </pre>
 */
record Paths(String root) {
    /**
     * @throws IllegalArgumentException if the root cannot be the path of a znode; the message is a sentence for the
     *     operator
     */
    void check() {
        if (!root.matches("(/[A-Za-z0-9._-]+)+")) {
            throw new IllegalArgumentException(
                    "root = " + root + " is not a path of letters, digits, '.', '_' and '-'");
        }
    }

    String log() {
        return root + "/log";
    }

    String log(long n) {
        return log() + "/" + number(n);
    }

    String snapshots() {
        return root + "/snapshots";
    }

    String snapshot(long version) {
        return snapshots() + "/" + number(version);
    }

    String chunk(long version, int index) {
        return snapshot(version) + "/" + String.format(Locale.ROOT, "%04d", index);
    }

    String brokers() {
        return root + "/brokers";
    }

    String broker(int brokerId) {
        return brokers() + "/" + brokerId;
    }

    String alive() {
        return root + "/alive";
    }

    String alive(long sessionId) {
        return alive() + "/" + Long.toHexString(sessionId);
    }

    String controller() {
        return root + "/controller";
    }

    String controllerEpoch() {
        return root + "/controller_epoch";
    }

    /**
     * The znodes that a new session creates first, parents before children. {@link Election} creates the controller
     * epoch, because it must not be lower than an epoch that was used before.
     */
    List<String> skeleton() {
        List<String> paths = new ArrayList<>();
        for (int slash = root.indexOf('/', 1); slash > 0; slash = root.indexOf('/', slash + 1)) {
            paths.add(root.substring(0, slash));
        }
        paths.addAll(List.of(root, log(), snapshots(), brokers(), alive()));
        return paths;
    }

    /** True if the name is a version. Znodes with other names are not Felice's and are never deleted. */
    static boolean isNumber(String name) {
        return name.matches("\\d{10}");
    }

    static String number(long n) {
        return String.format(Locale.ROOT, "%010d", n);
    }
}
