package io.felice.api;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * How many files and sockets this process may have open, and has. Asking what is open costs the more, the more is open.
 * From any thread.
 */
public final class FileDescriptors {
    /** What {@link #free} says where the system has no limit, or does not tell it. */
    public static final long PLENTY = Long.MAX_VALUE;

    private static final String LIMIT = "MaxFileDescriptorCount";
    private static final String OPEN = "OpenFileDescriptorCount";
    private static final String TOO_MANY = "Too many open files";
    private static final int NEXT_TO_NONE = 3;

    private FileDescriptors() {}

    /** The most that this process may have open; {@link #PLENTY} if that is not known. */
    public static long limit() {
        long limit = ask(LIMIT);
        return limit < 0 ? PLENTY : limit;
    }

    /** How many more this process may open now. */
    public static long free() {
        long limit = limit();
        long open = limit == PLENTY ? -1 : ask(OPEN);
        return open < 0 ? PLENTY : limit - open;
    }

    /** True if something could not be opened because this process has too much open. */
    public static boolean areUsedUp(IOException failure) {
        String message = failure.getMessage();
        return message != null && message.contains(TOO_MANY) || free() < NEXT_TO_NONE;
    }

    /** Through JMX, because the class with these numbers is not a part of every Java. */
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
