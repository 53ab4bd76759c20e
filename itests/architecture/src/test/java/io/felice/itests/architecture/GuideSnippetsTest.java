package io.felice.itests.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The code in the guides is that of files which are compiled and tested, and the examples stay short. */
class GuideSnippetsTest {
    private static final Pattern BLOCK = Pattern.compile("```\\w+ (\\S+)\\n(.*?)```", Pattern.DOTALL);

    @ParameterizedTest
    @CsvSource({
        "plugins-sdk/examples/storage-files/src/main, 120",
        "plugins-sdk/archetype/src/main/resources/archetype-resources/types/authenticator/src/main, 55",
        "plugins-sdk/examples/authenticator-passwords/src/main, 199",
        "plugins-sdk/examples/authorizer-rules/src/main, 199",
        "plugins-sdk/examples/listener-dead-letters/src/main, 199",
        "plugins-sdk/examples/policy-topics/src/main, 199"
    })
    void anExampleIsShort(String sources, int most) throws IOException {
        long lines = 0;
        try (Stream<Path> files = Files.walk(Bundle.root().resolve(sources))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                lines += Files.readString(file).lines().count();
            }
        }

        assertThat(lines).isBetween(1L, (long) most);
    }

    @ParameterizedTest
    @ValueSource(strings = {"docs/plugins.md", "docs/testing.md"})
    void theCodeOfAGuideIsThatOfTheFileThatItNames(String guide) throws IOException {
        var blocks = BLOCK.matcher(Files.readString(Bundle.root().resolve(guide)))
                .results()
                .toList();

        assertThat(blocks).isNotEmpty();
        for (MatchResult block : blocks) {
            Path file = Bundle.root().resolve(block.group(1));
            assertThat(Files.readString(file)).as("%s shows %s", guide, file).contains(block.group(2));
        }
    }
}
