package io.felice.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/**
 * Shows that a contract catches wrong plugins. Mistakes are put into a good plugin, one at a time. The test that is meant for
 * the mistake must fail, and must pass without it. Prints a table of the mistakes.
 *
 * @param <T> the interface of the plugin
 * @param <C> its contract
 */
public abstract class PluginBugsContract<T, C> {
    private final Class<C> type;
    private final int leastBugs;

    PluginBugsContract(Class<C> type, int leastBugs) {
        this.type = type;
        this.leastBugs = leastBugs;
    }

    abstract List<PluginBug<T>> bugs();

    /**
     * The contract of a good plugin.
     *
     * @param mistake puts the mistake into each plugin that the contract makes
     */
    protected abstract C contract(UnaryOperator<T> mistake);

    @Test
    void everySeededBugIsCaughtByTheTestThatIsMeantForIt() throws Exception {
        Map<String, String> outcomes = new LinkedHashMap<>();
        for (PluginBug<T> bug : bugs()) {
            outcomes.put(bug.name(), outcome(bug));
        }
        print(outcomes);

        assertThat(outcomes).hasSizeGreaterThanOrEqualTo(leastBugs);
        assertThat(outcomes.values()).allMatch(outcome -> outcome.startsWith("caught by "));
    }

    private String outcome(PluginBug<T> bug) throws Exception {
        Method test = type.getDeclaredMethod(bug.caughtBy());
        Optional<Throwable> without = failure(test, UnaryOperator.identity());
        if (without.isPresent()) {
            return test.getName() + " fails without the mistake: " + without.get();
        }
        return (failure(test, bug.into()).isPresent() ? "caught by " : "NOT CAUGHT by ") + test.getName();
    }

    private Optional<Throwable> failure(Method test, UnaryOperator<T> mistake) {
        try {
            test.invoke(contract(mistake));
            return Optional.empty();
        } catch (InvocationTargetException failure) {
            return Optional.of(failure.getCause());
        } catch (IllegalAccessException impossible) {
            throw new IllegalStateException(test + " cannot be called", impossible);
        }
    }

    private void print(Map<String, String> outcomes) {
        StringBuilder table = new StringBuilder("\n| mistake | outcome |\n| --- | --- |\n");
        outcomes.forEach((bug, outcome) ->
                table.append("| ").append(bug).append(" | ").append(outcome).append(" |\n"));
        System.out.println(getClass().getSimpleName() + table);
    }
}
