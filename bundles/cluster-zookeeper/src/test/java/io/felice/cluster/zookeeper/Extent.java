package io.felice.cluster.zookeeper;

/** How much a test does: a small part by default, everything with {@code -Dfelice.long=true}. */
final class Extent {
    private static final boolean LONG = Boolean.getBoolean("felice.long");

    private Extent() {}

    static int of(int usually, int atLength) {
        return LONG ? atLength : usually;
    }
}
