package io.felice.cluster.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** How often the log says that ZooKeeper is away. */
class AbsenceTest {
    private long nanos = 17;
    private final Absence absence = new Absence(() -> nanos);

    @Test
    void aConnectionThatIsTriedEverySecondIsALineAMinute() {
        absence.begins();
        absence.say("zk:2181", "the connection is lost");
        for (int second = 0; second < 150; second++) {
            pass(Duration.ofSeconds(1));
            absence.sayStill("zk:2181");
        }

        assertThat(absence.lines()).isEqualTo(3);
        assertThat(absence.ends()).isTrue();
    }

    @Test
    void aConnectionThatComesAndGoesIsNoMoreThanThat() {
        for (int second = 0; second < 59; second++) {
            absence.begins();
            absence.say("zk:2181", "the connection is lost");
            pass(Duration.ofMillis(500));
            absence.ends();
            pass(Duration.ofMillis(500));
        }

        assertThat(absence.lines()).isEqualTo(1);
    }

    @Test
    void aConnectionThatIsBeingMadeIsNotAway() {
        absence.begins();
        pass(Duration.ofSeconds(4));
        absence.sayStill("zk:2181");

        assertThat(absence.lines()).isZero();
        assertThat(absence.ends()).isFalse();
    }

    private void pass(Duration time) {
        nanos += time.toNanos();
    }
}
