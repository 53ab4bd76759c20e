package io.felice.shell;

import io.felice.api.status.Trouble;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * The memory outside the Java heap, which buffers take. Java ends a process whose heap is used up, but not for this
 * memory: requests wait for it, and connections are closed.
 */
final class DirectMemory {
    private static final String OPTION = "-XX:MaxDirectMemorySize=";
    /** A larger buffer than this is seldom wanted, so with less than this requests wait. */
    private static final long LEAST_BYTES = 2 << 20;

    private static final int LEAST_SHARE = 20;

    private final LongSupplier usedBytes;
    private final long limitBytes;

    DirectMemory(LongSupplier usedBytes, long limitBytes) {
        this.usedBytes = usedBytes;
        this.limitBytes = limitBytes;
    }

    static DirectMemory ofThisProcess() {
        BufferPoolMXBean direct = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .findFirst()
                .orElseThrow();
        List<String> options = ManagementFactory.getRuntimeMXBean().getInputArguments();
        return new DirectMemory(
                direct::getMemoryUsed, limit(options, Runtime.getRuntime().maxMemory()));
    }

    /** Of several options, Java takes the last. Without one, this memory may become as large as the heap. */
    static long limit(List<String> options, long heapBytes) {
        return options.stream()
                .filter(option -> option.startsWith(OPTION))
                .map(option -> bytes(option.substring(OPTION.length())))
                .reduce((earlier, last) -> last)
                .filter(bytes -> bytes > 0)
                .orElse(heapBytes);
    }

    private static long bytes(String size) {
        int last = size.length() - 1;
        int shift =
                switch (Character.toLowerCase(size.charAt(last))) {
                    case 'k' -> 10;
                    case 'm' -> 20;
                    case 'g' -> 30;
                    case 't' -> 40;
                    default -> 0;
                };
        return Long.parseLong(shift == 0 ? size : size.substring(0, last)) << shift;
    }

    List<Trouble> troubles() {
        long used = usedBytes.getAsLong();
        return limitBytes - used >= Math.max(LEAST_BYTES, limitBytes / LEAST_SHARE)
                ? List.of()
                : List.of(Trouble.inPart("Direct memory is used up: " + (used >> 10) + " of " + (limitBytes >> 10)
                        + " KB. Requests wait for it, and connections may be closed. Start the node with more:"
                        + " FELICE_DIRECT_MEMORY, or " + OPTION));
    }
}
