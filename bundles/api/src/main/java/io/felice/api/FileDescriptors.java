package io.felice.api;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * The number of file descriptors (open files and sockets) of this process, and their limit. Any thread. {@link #free}
 * counts the open descriptors in the operating system, so its time grows with their number.
 */
public final class FileDescriptors {
    /** The value of {@link #limit} and {@link #free} if the system has no limit or does not report the limit. */
    public static final long PLENTY = Long.MAX_VALUE;

    private static final String LIMIT = "MaxFileDescriptorCount";
    private static final String OPEN = "OpenFileDescriptorCount";
    private static final String TOO_MANY = "Too many open files";
    private static final int NEARLY_NONE = 3;

    private FileDescriptors() {}

    /** The most file descriptors that this process may have open; {@link #PLENTY} if the limit is unknown. */
    public static long limit() {
        long limit = ask(LIMIT);
        return limit < 0 ? PLENTY : limit;
    }

    /** How many more file descriptors this process may open now; {@link #PLENTY} if the limit is unknown. */
    public static long free() {
        long limit = limit();
        long open = limit == PLENTY ? -1 : ask(OPEN);
        return open < 0 ? PLENTY : limit - open;
    }

    /** True if {@code failure} happened because this process has too many file descriptors open. */
    public static boolean areUsedUp(IOException failure) {
        String message = failure.getMessage();
        return message != null && message.contains(TOO_MANY) || free() < NEARLY_NONE;
    }

    /** Reads through JMX, because not every Java runtime has the class with these attributes. */
    private static long ask(String attribute) {
        try {
            Object value = ManagementFactory.getPlatformMBeanServer()
                    .getAttribute(new ObjectName(ManagementFactory.OPERATING_SYSTEM_MXBEAN_NAME), attribute);
            return value instanceof Long number ? number : -1;
        } catch (JMException | RuntimeException unknown) {
            return -1;
        }
    }
}
