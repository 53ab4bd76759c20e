package io.felice.shell;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import org.junit.jupiter.api.Test;

class PlainOutputTest {

    @Test
    void leavesTextAsItIs() throws IOException {
        assertThat(plain("a\tb\n│ ü € 😀\n")).isEqualTo("a\tb\n│ ü € 😀\n");
    }

    @Test
    void removesColoursAndOtherEscapeSequences() throws IOException {
        assertThat(plain("\u001b[1mbold\u001b[22m and \u001b[38;5;1mred\u001b[m\u001b[K."))
                .isEqualTo("bold and red.");
    }

    @Test
    void removesZeroBytesBecauseOneEndsTheOutput() throws IOException {
        assertThat(plain("before\0after")).isEqualTo("beforeafter");
    }

    private static String plain(String text) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (PrintStream output = new PrintStream(new PlainOutput(bytes), false, UTF_8)) {
            output.print(text);
        }
        return bytes.toString(UTF_8);
    }
}
