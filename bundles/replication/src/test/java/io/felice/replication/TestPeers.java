package io.felice.replication;

/** Settings of the tests. */
final class TestPeers {
    private TestPeers() {}

    static PeerSettings plain() {
        return new PeerSettings("PLAINTEXT", "SCRAM-SHA-512", "", "", "", "", "", "", "", true);
    }

    static FetchLimits limits() {
        return new FetchLimits(1, 1 << 20, 10 << 20, 500, 1, 1000, 30_000);
    }
}
