package io.felice.shell;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BundleArgumentsTest {
    private final BundleArguments arguments = new BundleArguments(Set.of("io.felice.broker", "22")::contains);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "bundle:stop io.felice.broker nonsense",
                "bundle:restart nonsense",
                "  bundle:refresh   22 nonsense ",
                "bundle:start -t nonsense"
            })
    void findsANameThatBelongsToNoBundle(String line) {
        assertThat(arguments.unknown(line)).contains("nonsense");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "bundle:stop io.felice.broker 22",
                "bundle:stop",
                "bundle:list nonsense",
                "felice:status nonsense",
                "bundle:stop $nonsense",
                "each [nonsense] { bundle:stop $it }",
                ""
            })
    void doesNotCheckOtherLines(String line) {
        assertThat(arguments.unknown(line)).isEmpty();
    }

    @Test
    void anOptionIsNotANameOfABundle() {
        assertThat(arguments.unknown("bundle:restart --force 22")).isEmpty();
    }
}
