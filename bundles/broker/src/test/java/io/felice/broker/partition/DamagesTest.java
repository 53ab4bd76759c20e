package io.felice.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.felice.broker.partition.Damages.Damage;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class DamagesTest {
    private final Damages damages = new Damages(Bench.ORDERS);

    @Test
    void touchingDamagesAreOne() {
        found(0, 10, damage(3, 10));
        found(10, 20, damage(10, 12), damage(15, 16));

        assertThat(damages.all()).extracting(Damage::from, Damage::to).containsExactly(tuple(3L, 12L), tuple(15L, 16L));
    }

    @Test
    void whatWasReadAgainIsKnownFromTheLastReadingOnly() {
        found(0, 20, damage(3, 12), damage(15, 16));

        found(5, 10, damage(6, 7));

        assertThat(damages.all())
                .extracting(Damage::from, Damage::to)
                .containsExactly(tuple(3L, 5L), tuple(6L, 7L), tuple(10L, 12L), tuple(15L, 16L));
    }

    @Test
    void aDamageThatIsFoundAgainKeepsItsTime() {
        found(0, 20, new Damage(3, 4, "a test says so", 1));

        found(0, 20, new Damage(3, 4, "a test says so", 2));

        assertThat(damages.all()).extracting(Damage::foundAtMs).containsExactly(1L);
    }

    @Test
    void whatIsWrittenBehindATruncationInADamageCanBeRead() {
        found(0, 20, damage(3, 12));

        damages.truncatedTo(5);

        assertThat(damages.limitOf(5, 20)).isEqualTo(20);
        assertThat(damages.limitOf(0, 20)).isEqualTo(3);
    }

    @Test
    void ofTooManyDamagesTheClosestBecomeOne() {
        Damage[] many = LongStream.range(0, Damages.MOST)
                .mapToObj(i -> damage(i * 10, i * 10 + 1))
                .toArray(Damage[]::new);
        found(0, 20_000, many);
        assertThat(damages.all()).containsExactly(many);

        Damage[] more = Arrays.copyOf(many, Damages.MOST + 1);
        more[Damages.MOST] = damage(9_995, 9_996);
        found(0, 20_000, more);

        assertThat(damages.all()).hasSize(Damages.MOST).endsWith(damage(9_990, 9_996));
    }

    private void found(long start, long end, Damage... found) {
        assertThat(damages.found(start, end, List.of(found), damages.truncations()))
                .isTrue();
    }

    private static Damage damage(long from, long to) {
        return new Damage(from, to, "a test says so", 0);
    }
}
