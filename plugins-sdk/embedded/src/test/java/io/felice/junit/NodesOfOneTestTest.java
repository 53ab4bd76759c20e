package io.felice.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NodesOfOneTestTest {
    private static String before = "";

    @RegisterExtension
    final FeliceExtension felice =
            new FeliceExtension().engine("mvstore").setting("io.felice.broker", "num.partitions", 3);

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void eachTestHasANodeOfItsOwn(int test) {
        assertThat(felice.node().bootstrap()).isNotEqualTo(before);
        assertThat(Files.isDirectory(felice.node().data())).isTrue();
        before = felice.node().bootstrap();
    }

    @Test
    void anEngineThatIsNotThereIsNamedAtOnce() {
        FeliceExtension other = new FeliceExtension().engine("tape");

        assertThatThrownBy(() -> other.beforeAll(null))
                .hasMessageContaining(
                        "There is no storage engine tape on the class path; there are: log, memory, mvstore.");
    }

    @Test
    void aMechanismThatIsNotThereIsNamedAtOnce() {
        FeliceExtension other =
                new FeliceExtension().setting("io.felice.network", "sasl.enabled.mechanisms", "PLAIN,GSSAPI");

        assertThatThrownBy(() -> other.beforeAll(null)).hasMessageContaining("There is no SASL mechanism GSSAPI");
    }
}
