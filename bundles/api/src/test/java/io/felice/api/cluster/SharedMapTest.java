package io.felice.api.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SharedMapTest {
    @Test
    void itHoldsWhatAnOrdinaryMapHoldsAndOlderCopiesDoNotChange() {
        long seed = Long.getLong("felice.seed", System.nanoTime());
        System.out.println("seed " + seed + " (repeat with -Dfelice.seed=" + seed + ")");
        Random random = new Random(seed);
        SharedMap<String, Integer> shared = SharedMap.empty();
        Map<String, Integer> plain = new HashMap<>();
        for (int change = 0; change < 400; change++) {
            SharedMap<String, Integer> before = shared;
            Map<String, Integer> plainBefore = new HashMap<>(plain);
            SharedMap.Edit<String, Integer> edit = shared.edit();
            for (int i = random.nextInt(30); i > 0; i--) {
                String key = "key " + random.nextInt(2_000);
                if (random.nextInt(4) == 0) {
                    assertThat(edit.remove(key)).isEqualTo(plain.remove(key));
                } else {
                    edit.put(key, change);
                    plain.put(key, change);
                }
                assertThat(edit.get(key)).isEqualTo(plain.get(key));
            }

            shared = edit.done();

            assertThat(contents(shared)).as("seed %s", seed).isEqualTo(plain);
            assertThat(contents(before)).as("seed %s", seed).isEqualTo(plainBefore);
            assertThat(shared.values()).hasSize(plain.size()).containsExactlyInAnyOrderElementsOf(plain.values());
            assertThat(shared.get("no key")).isNull();
        }
    }

    private static Map<String, Integer> contents(SharedMap<String, Integer> map) {
        Map<String, Integer> contents = new HashMap<>();
        map.forEach(contents::put);
        contents.forEach((key, value) -> assertThat(map.get(key)).isEqualTo(value));
        return contents;
    }
}
