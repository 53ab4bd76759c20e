package io.felice.zookeeper;

import java.util.concurrent.atomic.AtomicInteger;
import org.apache.zookeeper.util.ServiceUtils;

/** Counts how often the library asked to exit the process, which it does when it cannot write its files. */
final class ExitRequests {
    private static final AtomicInteger COUNT = new AtomicInteger();

    private ExitRequests() {}

    /** From now on only a server ends, and not the process. */
    static void only() {
        ServiceUtils.setSystemExitProcedure(code -> COUNT.incrementAndGet());
    }

    static int count() {
        return COUNT.get();
    }
}
