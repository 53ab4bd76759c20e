package io.felice.security;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.security.Action;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.api.security.ResourceType;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class AuditTest {
    private final AtomicLong now = new AtomicLong(1);
    private final List<String> lines = new ArrayList<>();
    private final Audit audit = new Audit(now::get, lines::add);

    private static Requester user(String name) {
        return new Requester(Principal.user(name), InetAddress.getLoopbackAddress());
    }

    private static Action on(Operation operation, String topic) {
        return new Action(operation, ResourceType.TOPIC, topic);
    }

    @Test
    void aChangeIsWrittenEachTimeAndReadingIsNot() {
        audit.allowed(user("alice"), on(Operation.READ, "orders"));
        audit.allowed(user("alice"), on(Operation.DELETE, "orders"));
        audit.allowed(user("alice"), on(Operation.DELETE, "orders"));
        assertThat(lines)
                .hasSize(2)
                .containsOnly("allowed principal=User:alice host=127.0.0.1 operation=DELETE resource=TOPIC:orders");
    }

    @Test
    void aChangeOfAnOperatorIsOneLineWhateverItsNameContains() {
        audit.changed("shell", "user-delete ali\nce é");
        audit.changed("shell", "user-delete bob");
        assertThat(lines)
                .containsExactly(
                        "changed by=shell change=\"user-delete ali?ce ?\"",
                        "changed by=shell change=\"user-delete bob\"");
        assertThat(audit.tables().get(0).value("changes")).contains(2L);
    }

    @Test
    void whatIsRefusedAgainAndAgainIsWrittenOnceInAWhileWithItsNumber() {
        for (int i = 0; i < 1_000; i++) {
            audit.denied(user("alice"), on(Operation.READ, "orders-" + i));
        }
        assertThat(lines)
                .containsExactly(
                        "denied principal=User:alice host=127.0.0.1 operation=READ resource=TOPIC:orders-0 times=1");
        now.addAndGet(TimeUnit.SECONDS.toNanos(Audit.EVERY_SECONDS));
        audit.denied(user("alice"), on(Operation.READ, "last"));
        assertThat(lines.get(1)).endsWith("resource=TOPIC:last times=1000");
        audit.denied(user("bob"), on(Operation.READ, "orders"));
        assertThat(lines.get(2)).contains("principal=User:bob").endsWith("times=1");
        assertThat(audit.tables().get(0).value("denials")).contains(1_002L);
    }

    @Test
    void manyPrincipalsCannotFillTheDiskOrTheMemory() {
        for (int i = 0; i < 3 * Audit.MOST_KINDS; i++) {
            audit.denied(user("user-" + i), on(Operation.READ, "orders"));
        }
        assertThat(lines).hasSizeLessThanOrEqualTo(Audit.MOST_KINDS + 1);
    }

    @Test
    void aNameCannotForgeALine() {
        audit.denied(user("eve\nallowed principal=User:eve"), on(Operation.READ, "a b\r\nc"));
        assertThat(lines).hasSize(1);
        assertThat(lines.get(0)).doesNotContain("\n", "\r").contains("resource=TOPIC:a?b??c");
    }

    @Test
    void loginsAreWrittenWithoutTheNameThatWasRefused() {
        InetAddress host = InetAddress.getLoopbackAddress();
        audit.loggedIn(Principal.user("alice"), host, "SASL", "PLAIN");
        audit.refused(host, "SASL", "PLAIN");
        assertThat(lines)
                .containsExactly(
                        "login principal=User:alice host=127.0.0.1 listener=SASL mechanism=PLAIN times=1",
                        "login-refused host=127.0.0.1 listener=SASL mechanism=PLAIN times=1");
    }
}
