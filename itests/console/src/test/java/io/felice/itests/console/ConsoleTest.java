package io.felice.itests.console;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.DistributionNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The console of the distribution in a browser: {@code src/test/node/console.test.mjs}. */
class ConsoleTest {
    private static final Pattern CODE = Pattern.compile("one-time code is (\\S+)");

    @TempDir
    private Path directory;

    @Test
    void anEmptyNodeIsSetUpAndUsedInABrowser() throws IOException {
        try (DistributionNode node = DistributionNode.in(directory)) {
            node.configure("io.felice.console", Map.of("port", "0"));
            node.start();

            String code = printed(CODE, directory.resolve("data/log/felice.log"));
            String url = printed(Pattern.compile("console=(\\S+)"), directory.resolve("data/felice.console"));

            Browser.runs(
                    "console.test.mjs",
                    Map.of("CONSOLE_URL", url, "CONSOLE_CODE", code, "BOOTSTRAP", node.bootstrap()));
        }
    }

    private static String printed(Pattern pattern, Path file) throws IOException {
        String text = Files.readString(file);
        Matcher matcher = pattern.matcher(text);
        assertThat(matcher.find()).as("%s in %s", pattern, text).isTrue();
        return matcher.group(1);
    }
}
