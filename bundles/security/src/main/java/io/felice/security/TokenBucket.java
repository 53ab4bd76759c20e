package io.felice.security;

/**
 * What one client may still use: it is refilled evenly, up to what comes in within {@link #WINDOW_SECONDS}, and may be
 * overdrawn (KIP-599). So a client that was quiet may use ten seconds' worth at once, as with Kafka's windows. Any thread.
 */
final class TokenBucket {
    static final int WINDOW_SECONDS = 10;

    private static final double NANOS = 1e9;

    private double tokens;
    private long filledAt;
    private boolean isNew = true;

    /**
     * Takes an amount.
     *
     * @param perSecond what comes in within a second
     * @return for how many seconds the client has to wait until it is no longer overdrawn; 0 if it is not
     */
    synchronized double take(double amount, double perSecond, long now) {
        fill(perSecond, now);
        tokens -= amount;
        return tokens >= 0 ? 0 : -tokens / perSecond;
    }

    /** For how many seconds the client has to wait. */
    synchronized double wait(double perSecond, long now) {
        fill(perSecond, now);
        return tokens >= 0 ? 0 : -tokens / perSecond;
    }

    /** True if the bucket is as good as a new one. */
    synchronized boolean isFull(double perSecond, long now) {
        fill(perSecond, now);
        return tokens >= perSecond * WINDOW_SECONDS;
    }

    private void fill(double perSecond, long now) {
        double most = perSecond * WINDOW_SECONDS;
        tokens = isNew ? most : Math.min(most, tokens + (now - filledAt) / NANOS * perSecond);
        isNew = false;
        filledAt = now;
    }
}
