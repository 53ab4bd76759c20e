package io.felice.cli;

import java.io.PrintStream;
import java.util.Locale;

/**
 * A line on the terminal that says how far a long command is: the amount, the rate, and the time left if the end is known. It
 * appears after half a second, and not where the output of errors is no terminal. One thread.
 */
final class Progress implements AutoCloseable {
    private static final long FIRST_NANOS = 500_000_000L;
    private static final long STEP_NANOS = 200_000_000L;
    private static final int BAR = 24;

    private final PrintStream to;
    private final String what;
    private final long total;
    private final long began = System.nanoTime();
    private long next = began + FIRST_NANOS;
    private boolean isShown;

    /** @param total -1 if unknown */
    Progress(Terminal terminal, String what, long total) {
        this.to = terminal.isErrTerminal() ? terminal.err() : null;
        this.what = what;
        this.total = total;
    }

    void at(long done) {
        if (to == null || System.nanoTime() - next < 0) {
            return;
        }
        next = System.nanoTime() + STEP_NANOS;
        isShown = true;
        double seconds = (System.nanoTime() - began) / 1e9;
        double rate = done / seconds;
        to.print("\r\033[K" + (total > 0 ? bar(done) : "")
                + String.format(Locale.ROOT, "%,d %s  %,.0f/s", done, what, rate)
                + (total > 0 && done > 0 ? String.format(Locale.ROOT, "  %.0f s left", (total - done) / rate) : ""));
        to.flush();
    }

    private String bar(long done) {
        int full = (int) Math.min(BAR, done * BAR / total);
        return "[" + "#".repeat(full) + " ".repeat(BAR - full) + "] "
                + String.format(Locale.ROOT, "%3d%%  ", done * 100 / total);
    }

    @Override
    public void close() {
        if (isShown) {
            to.print("\r\033[K");
            to.flush();
        }
    }
}
