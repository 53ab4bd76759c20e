package io.felice.itests.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The code in the guides is that of files which are compiled and tested. */
class GuideSnippetsTest {
    private static final Pattern BLOCK = Pattern.compile("```\\w+ (\\S+)\\n(.*?)```", Pattern.DOTALL);

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
