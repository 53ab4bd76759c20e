package io.felice.api.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The warnings about changed settings that a running component does not apply. */
class ReadOnceTest {

    interface Config {
        int tail_bytes();

        String[] listeners();

        long request_timeout_ms();
    }

    private record Values(int tail_bytes, String[] listeners, long request_timeout_ms) implements Config {}

    @Test
    void aChangedSettingThatIsNotLiveIsReported() {
        Config inForce = new Values(512, new String[] {"a"}, 10);
        Config wanted = new Values(1024, new String[] {"a"}, 20);

        List<String> differences = ReadOnce.differences(Config.class, inForce, wanted, Set.of("request.timeout.ms"));

        assertThat(differences).containsExactly("tail.bytes stays \"512\" and becomes \"1024\"");
    }

    @Test
    void listsAreComparedByTheirItems() {
        Config inForce = new Values(1, new String[] {"a"}, 1);
        Config wanted = new Values(1, new String[] {"a", "b"}, 1);

        List<String> differences = ReadOnce.differences(Config.class, inForce, wanted, Set.of());

        assertThat(differences).containsExactly("listeners stays [a] and becomes [a, b]");
    }

    @Test
    void aFileThatWasWrittenWithoutAChangeIsNotReported() {
        Config inForce = new Values(1, new String[] {"a"}, 1);

        assertThat(ReadOnce.differences(Config.class, inForce, new Values(1, new String[] {"a"}, 1), Set.of()))
                .isEmpty();
    }
}
