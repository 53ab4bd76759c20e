package io.felice.shell;

import io.felice.api.FeliceException;
import io.felice.api.storage.StoreMaintenance;
import java.io.PrintStream;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

/** Prints how far the work on an engine's files got, every few seconds until it is done. */
final class StoreWorkOutput {
    private static final int SECONDS = 2;
    private static final long MB = 1 << 20;

    private StoreWorkOutput() {}

    /** The engine of that name; without a name the only one. */
    static StoreMaintenance only(String engine, List<StoreMaintenance> engines) {
        List<StoreMaintenance> found = engines.stream()
                .filter(Objects::nonNull)
                .filter(one -> engine == null || one.engine().equals(engine))
                .toList();
        if (found.isEmpty()) {
            throw new IllegalArgumentException(
                    engine == null
                            ? "No storage engine has files to work on."
                            : "No engine " + engine + " has files to work on.");
        }
        if (found.size() > 1) {
            throw new IllegalArgumentException("Say which engine: "
                    + found.stream().map(StoreMaintenance::engine).collect(Collectors.joining(", ")));
        }
        return found.get(0);
    }

    static void follow(StoreMaintenance.Work work, PrintStream output) throws Exception {
        while (true) {
            try {
                output.println(work.outcome().toCompletableFuture().get(SECONDS, TimeUnit.SECONDS) + ".");
                return;
            } catch (TimeoutException goesOn) {
                output.println(work.doneBytes() / MB + " of " + work.totalBytes() / MB + " MB");
            } catch (ExecutionException failure) {
                Throwable bare = FeliceException.unwrap(failure);
                throw bare instanceof Exception exception ? exception : failure;
            }
        }
    }
}
