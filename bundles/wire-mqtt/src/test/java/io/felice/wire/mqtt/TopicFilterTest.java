package io.felice.wire.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TopicFilterTest {
    /** The examples of MQTT 5, section 4.7. */
    @ParameterizedTest
    @CsvSource({
        "sport/tennis/player1/#, sport/tennis/player1, true",
        "sport/tennis/player1/#, sport/tennis/player1/ranking, true",
        "sport/tennis/player1/#, sport/tennis/player1/score/wimbledon, true",
        "sport/#, sport, true",
        "sport/tennis/+, sport/tennis/player1, true",
        "sport/tennis/+, sport/tennis/player1/ranking, false",
        "sport/+, sport, false",
        "sport/+, sport/, true",
        "+/+, /finance, true",
        "/+, /finance, true",
        "+, /finance, false",
        "#, a/b, true",
        "#, $SYS/a, false",
        "+/monitor/Clients, $SYS/monitor/Clients, false",
        "$SYS/#, $SYS/a, true",
        "a/b, a/b, true",
        "a/b, a/B, false"
    })
    void matchesAsTheStandardSays(String filter, String topic, boolean matches) {
        assertThat(TopicFilter.parse(filter).matches(topic)).isEqualTo(matches);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a+", "a/+b", "#/a", "a/b#", "a\0b"})
    void whatIsNoFilterIsRefused(String text) {
        assertThatThrownBy(() -> TopicFilter.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void filtersOverlapIfATopicMatchesBoth() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        List<String> levels = List.of("a", "b", "+", "$x");
        for (int i = 0; i < 2_000; i++) {
            TopicFilter one = TopicFilter.parse(filter(random, levels));
            TopicFilter two = TopicFilter.parse(filter(random, levels));

            assertThat(one.overlaps(two))
                    .as("%s and %s, seed %s", one.text(), two.text(), seed)
                    .isEqualTo(TOPICS.stream().anyMatch(topic -> one.matches(topic) && two.matches(topic)));
        }
    }

    /** All topics of up to four levels that can differ for the filters. */
    private static final List<String> TOPICS = topics();

    private static List<String> topics() {
        List<String> names = List.of("a", "b", "c", "$x");
        List<String> all = new java.util.ArrayList<>(names);
        List<String> last = names;
        for (int level = 0; level < 3; level++) {
            last = last.stream()
                    .flatMap(prefix -> names.stream().map(name -> prefix + "/" + name))
                    .toList();
            all.addAll(last);
        }
        return all;
    }

    private static String filter(Random random, List<String> levels) {
        StringBuilder filter = new StringBuilder(levels.get(random.nextInt(levels.size())));
        for (int more = random.nextInt(3); more > 0; more--) {
            filter.append('/').append(levels.get(random.nextInt(levels.size())));
        }
        return random.nextInt(3) == 0 ? random.nextBoolean() ? "#" : filter + "/#" : filter.toString();
    }
}
