package io.felice.api.status;

import java.util.Objects;

/**
 * A reason why the node serves only in part or does not serve.
 *
 * @param reason a sentence on one line: the part, what the part cannot do, and why. Line breaks become spaces
 */
public record Trouble(Extent extent, String reason) {
    /** How much of the node does not serve. */
    public enum Extent {
        /** Clients are served, but some of their requests fail or wait. */
        PART,
        /** No client is served. */
        NODE
    }

    public Trouble {
        Objects.requireNonNull(extent);
        reason = reason.replaceAll("\\s+", " ").trim();
    }

    public static Trouble inPart(String reason) {
        return new Trouble(Extent.PART, reason);
    }

    public static Trouble ofNode(String reason) {
        return new Trouble(Extent.NODE, reason);
    }
}
