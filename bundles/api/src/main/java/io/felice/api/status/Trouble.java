package io.felice.api.status;

import java.util.Objects;

/**
 * A reason why the node serves in part or not at all.
 *
 * @param reason a sentence on one line that names the part, what it cannot do, and why
 */
public record Trouble(Extent extent, String reason) {
    /** How much of the node does not serve. */
    public enum Extent {
        /** Clients are served, but something that they may ask for is not. */
        PART,
        /** No client is served. */
        NODE
    }

    public Trouble {
        Objects.requireNonNull(extent);
        reason = reason.replaceAll("\\s+", " ").trim();
    }

    /** Clients are served, but not in everything. */
    public static Trouble inPart(String reason) {
        return new Trouble(Extent.PART, reason);
    }

    /** No client is served. */
    public static Trouble ofNode(String reason) {
        return new Trouble(Extent.NODE, reason);
    }
}
