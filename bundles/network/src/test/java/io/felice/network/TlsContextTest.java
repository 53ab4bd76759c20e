package io.felice.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The certificate of the node grows old. */
class TlsContextTest {
    @TempDir
    Path directory;

    private Hands hands;
    private TlsContext context;

    @BeforeEach
    void read() throws Exception {
        TestCertificates.Key key = TestCertificates.make(directory, "CN=node", "-keyalg", "EC", "-validity", "30");
        TlsSettings.StoreFile file = new TlsSettings.StoreFile(
                "ssl.keystore.location", key.p12(), new Secret(TestCertificates.PASSWORD), "");
        hands = new Hands(Instant.now().plusSeconds(60));
        context = new TlsContext(
                new TlsSettings(
                        Optional.of(file),
                        new Secret(""),
                        Optional.empty(),
                        TlsSettings.ClientAuth.NONE,
                        List.of("TLSv1.3"),
                        List.of(),
                        "DEFAULT",
                        "",
                        Duration.ofSeconds(10)),
                hands);
        context.check();
    }

    @Test
    void theDaysThatAreLeftAreInTheStatus() {
        assertThat(daysLeft()).isEqualTo(29L);

        hands.turn(Duration.ofDays(20));

        assertThat(daysLeft()).isEqualTo(9L);
        assertThat(context.trouble()).isEmpty();
    }

    @Test
    void theLogSaysOnceADayThatTheCertificateExpiresSoon() {
        assertThat(linesDuring(context::check)).isEmpty();
        hands.turn(Duration.ofDays(20));

        assertThat(linesDuring(() -> {
                    context.check();
                    context.check();
                }))
                .containsOnlyOnce("The certificate of CN=node is valid until ")
                .contains(" WARN ");

        hands.turn(Duration.ofDays(1));
        assertThat(linesDuring(context::check)).containsOnlyOnce("The certificate of CN=node is valid until ");
    }

    @Test
    void aCertificateThatExpiresWhileItIsUsedIsATrouble() {
        hands.turn(Duration.ofDays(30));
        context.check();

        assertThat(context.trouble())
                .hasValueSatisfying(reason -> assertThat(reason).contains(" has a certificate that expired at "));
        assertThat(daysLeft()).isEqualTo(-1L);
        assertThat(context.isUsable()).isTrue();
    }

    private Object daysLeft() {
        return context.table().cell("ssl.keystore.location", "left.days").orElseThrow();
    }

    private static String linesDuring(Runnable action) {
        PrintStream before = System.err;
        ByteArrayOutputStream lines = new ByteArrayOutputStream();
        System.setErr(new PrintStream(lines, true, StandardCharsets.UTF_8));
        try {
            action.run();
        } finally {
            System.setErr(before);
        }
        return lines.toString(StandardCharsets.UTF_8);
    }

    /** A clock that the test turns. */
    private static final class Hands extends Clock {
        private Instant now;

        private Hands(Instant now) {
            this.now = now;
        }

        void turn(Duration on) {
            now = now.plus(on);
        }

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }
}
