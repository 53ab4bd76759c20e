package io.felice.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.shell.text.Listing;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;
import org.junit.jupiter.api.Test;

class TextTableTest {
    private static List<String> drawn(Listing listing, boolean hasHeadings, int width) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        new TextTable(listing, hasHeadings, width).print(new PrintStream(bytes, true, UTF_8));
        return bytes.toString(UTF_8).lines().toList();
    }

    @Test
    void numbersAreAtTheRightAndWhatIsNotThereIsADash() {
        Listing listing = new Listing("topic", "not_in_sync", "replicas");
        listing.row("orders", 12, List.of(0, 1)).row("bills", null, List.of());

        assertThat(drawn(listing, true, 0))
                .containsExactly("TOPIC   NOT-IN-SYNC  REPLICAS", "orders           12  0,1", "bills             -  -");
        assertThat(drawn(listing, false, 0)).containsExactly("orders  12  0,1", "bills    -  -");
    }

    @Test
    void aTableThatIsTooWideFoldsItsWidestColumnsAndLosesNoText() {
        Listing listing = new Listing("plugin", "state");
        listing.row("acme", "left out: it needs the package x.y, which no bundle here has");

        List<String> lines = drawn(listing, true, 30);

        assertThat(lines).allMatch(line -> line.length() <= 30);
        assertThat(String.join(" ", lines).replaceAll(" +", " "))
                .isEqualTo("PLUGIN STATE acme left out: it needs the package x.y, which no bundle here has");
    }

    @Test
    void controlCharactersOfANameForgeNoRow() {
        assertThat(drawn(new Listing("topic").row("a\nb\u001b[2J"), false, 0)).containsExactly("a?b?[2J");
    }
}
