package io.felice.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.storage.StorageEngine;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Shows that {@link StorageEngineContract} catches wrong engines. Mistakes are put into a good engine, one at a time. The
 * test that is meant for the mistake must fail, and must pass without it. Prints a table of the mistakes. A subclass makes
 * the contract of one engine.
 */
public abstract class SeededBugsContract {
    private static final int LEAST_BUGS = 20;

    @TempDir
    Path temp;

    private int runs;

    /**
     * The contract of an engine.
     *
     * @param mistake puts the mistake into each engine that the contract makes
     * @param directory a fresh directory
     */
    protected abstract StorageEngineContract contract(UnaryOperator<StorageEngine> mistake, Path directory);

    @Test
    void everySeededBugIsCaughtByTheTestThatIsMeantForIt() throws Exception {
        StorageEngine good = contract(UnaryOperator.identity(), fresh()).engine();
        Map<String, String> outcomes = new LinkedHashMap<>();
        for (SeededBug bug : SeededBug.all()) {
            if (bug.isOneFor(good)) {
                outcomes.put(bug.name(), outcome(bug));
            }
        }
        print(outcomes);

        assertThat(outcomes).hasSizeGreaterThanOrEqualTo(LEAST_BUGS);
        assertThat(outcomes.values()).allMatch(outcome -> outcome.startsWith("caught by "));
    }

    private String outcome(SeededBug bug) throws Exception {
        Method test = StorageEngineContract.class.getDeclaredMethod(bug.caughtBy());
        Optional<Throwable> without = failure(test, DelegatingEngine::new);
        if (without.isPresent()) {
            return test.getName() + " fails without the mistake: " + without.get();
        }
        return (failure(test, bug.into()).isPresent() ? "caught by " : "NOT CAUGHT by ") + test.getName();
    }

    private Optional<Throwable> failure(Method test, UnaryOperator<StorageEngine> mistake) throws IOException {
        StorageEngineContract contract = contract(mistake, fresh());
        try {
            contract.openALog();
            try {
                test.invoke(contract);
            } finally {
                contract.theLogIsTheSameAfterARestart();
            }
            return Optional.empty();
        } catch (InvocationTargetException failure) {
            return Optional.of(failure.getCause());
        } catch (RuntimeException | AssertionError failure) {
            return Optional.of(failure);
        } catch (IllegalAccessException impossible) {
            throw new IllegalStateException(test + " cannot be called", impossible);
        }
    }

    private Path fresh() throws IOException {
        return Files.createDirectories(temp.resolve("run-" + ++runs));
    }

    private void print(Map<String, String> outcomes) {
        StringBuilder table = new StringBuilder("\n| mistake | outcome |\n| --- | --- |\n");
        outcomes.forEach((bug, outcome) ->
                table.append("| ").append(bug).append(" | ").append(outcome).append(" |\n"));
        System.out.println(getClass().getSimpleName() + table);
    }
}
