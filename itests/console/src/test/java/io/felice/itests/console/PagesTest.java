package io.felice.itests.console;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** The pages against a mock of the API: {@code src/test/node/pages.test.mjs}. */
class PagesTest {
    @Test
    void thePagesShowWhatTheApiSays() {
        Browser.runs("pages.test.mjs", Map.of());
    }
}
