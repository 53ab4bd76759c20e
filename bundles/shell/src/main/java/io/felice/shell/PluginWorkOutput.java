package io.felice.shell;

import io.felice.api.FeliceException;
import io.felice.api.plugin.PluginWork;
import io.felice.api.plugin.PluginWork.Stage;
import java.io.PrintStream;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Prints the stages of a change of a plugin until it is done. */
final class PluginWorkOutput {
    private static final int STEP_MS = 100;

    private PluginWorkOutput() {}

    static void follow(PluginWork work, PrintStream output) throws Exception {
        Stage printed = Stage.WAITS;
        while (true) {
            try {
                String sentence = work.outcome().toCompletableFuture().get(STEP_MS, TimeUnit.MILLISECONDS);
                output.println(sentence.endsWith(".") ? sentence : sentence + ".");
                return;
            } catch (TimeoutException goesOn) {
                Stage now = work.stage();
                if (now != printed && now != Stage.DONE) {
                    output.println(now.words() + " ...");
                    printed = now;
                }
            } catch (ExecutionException failure) {
                Throwable bare = FeliceException.unwrap(failure);
                throw bare instanceof Exception exception ? exception : failure;
            }
        }
    }
}
