package io.felice.console.access;

import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.security.Principal;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import io.felice.console.NodeServices;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Makes and checks the values of session cookies: what they say, and an HMAC of it with a key that only this process has. A
 * session that has ended before its time is remembered until its time. Any thread.
 */
public final class Sessions {
    private static final String ALGORITHM = "HmacSHA256";
    private static final int ID_BYTES = 16;
    private static final int LONGEST = 2_048;
    private static final int MOST_ENDED = 100_000;
    /** In place of an id: until when all cookies that were written before are void. */
    private static final String ALL = "*";

    private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();

    private final Clock clock;
    private final byte[] key;
    private final Map<String, Long> ended;
    private final NodeServices services;
    private final SecureRandom random = new SecureRandom();
    private volatile Duration idle;
    private volatile Duration longest;
    private volatile Users users = new Users(0, Map.of());

    /** @param kept the key, and what has ended; it outlives this object */
    public Sessions(Clock clock, SessionState kept, NodeServices services, Duration idle, Duration longest) {
        this.clock = clock;
        this.key = kept.key();
        this.ended = kept.ended();
        this.services = services;
        limit(idle, longest);
    }

    public void limit(Duration idleTime, Duration wholeTime) {
        idle = idleTime;
        longest = wholeTime;
    }

    public Session begin(Principal principal) {
        byte[] id = new byte[ID_BYTES];
        random.nextBytes(id);
        Instant now = clock.instant();
        return new Session(ENCODER.encodeToString(id), principal, now, now.plus(longest), mark(principal));
    }

    /** The value of the cookie. */
    public String cookie(Session session) {
        byte[] said = (session.id() + "\n" + session.seenAt().toEpochMilli() + "\n"
                        + session.endsAt().toEpochMilli() + "\n" + session.mark() + "\n" + session.principal())
                .getBytes(StandardCharsets.UTF_8);
        return ENCODER.encodeToString(said) + "." + ENCODER.encodeToString(hmac(said));
    }

    /** The session of a cookie; empty if it was not made here, has ended, or its user has other credentials now. */
    public Optional<Session> find(String cookie) {
        if (cookie == null || cookie.length() > LONGEST) {
            return Optional.empty();
        }
        int dot = cookie.indexOf('.');
        try {
            byte[] said = Base64.getUrlDecoder().decode(cookie.substring(0, Math.max(dot, 0)));
            byte[] signed = Base64.getUrlDecoder().decode(cookie.substring(dot + 1));
            return MessageDigest.isEqual(signed, hmac(said)) ? read(said).filter(this::goesOn) : Optional.empty();
        } catch (IllegalArgumentException noBase64) {
            return Optional.empty();
        }
    }

    private static Optional<Session> read(byte[] said) {
        String[] parts = new String(said, StandardCharsets.UTF_8).split("\n", 5);
        return parts.length < 5
                ? Optional.empty()
                : Optional.of(new Session(
                        parts[0],
                        Principal.parse(parts[4]),
                        Instant.ofEpochMilli(Long.parseLong(parts[1])),
                        Instant.ofEpochMilli(Long.parseLong(parts[2])),
                        parts[3]));
    }

    /** False once the session has ended, however it did. */
    public boolean goesOn(Session session) {
        Instant now = clock.instant();
        return now.isBefore(expiresAt(session))
                && !ended.containsKey(session.id())
                && session.seenAt().toEpochMilli() >= ended.getOrDefault(ALL, 0L)
                && MessageDigest.isEqual(bytes(session.mark()), bytes(mark(session.principal())));
    }

    /** When the session ends if its user asks for nothing before. */
    public Instant expiresAt(Session session) {
        Instant quiet = session.seenAt().plus(idle);
        return quiet.isBefore(session.endsAt()) ? quiet : session.endsAt();
    }

    /** The session with this moment as the last at which it was seen; empty if its cookie is new enough. */
    public Optional<Session> renewed(Session session) {
        Instant now = clock.instant();
        Duration old = Duration.between(session.seenAt(), now);
        return old.compareTo(idle.dividedBy(20)) < 0
                ? Optional.empty()
                : Optional.of(new Session(session.id(), session.principal(), now, session.endsAt(), session.mark()));
    }

    /** Ends the session: every cookie of it is void from now on. */
    public void end(Session session) {
        long now = clock.millis();
        ended.entrySet().removeIf(each -> !each.getKey().equals(ALL) && each.getValue() < now);
        if (ended.size() < MOST_ENDED) {
            ended.put(session.id(), session.endsAt().toEpochMilli());
        } else {
            ended.put(ALL, now + 1);
        }
    }

    /**
     * Changes when the password of a user of the cluster changes, and when the user is deleted. The same for all users that
     * the cluster does not know.
     */
    private String mark(Principal principal) {
        Map<ScramMechanism, ScramCredential> credentials = users().get(principal.name());
        if (credentials == null) {
            return "-";
        }
        ByteBuffer bytes = ByteBuffer.allocate(4_096);
        new TreeMap<>(credentials).forEach((mechanism, credential) -> {
            bytes.put(bytes(mechanism.name()));
            put(bytes, credential.storedKey());
            put(bytes, credential.salt());
        });
        return ENCODER.encodeToString(hmac(Arrays.copyOf(bytes.array(), bytes.position())));
    }

    /** The users of the newest view that was seen: a broker that is being updated begins with an empty one. */
    private Map<String, Map<ScramMechanism, ScramCredential>> users() {
        Users known = users;
        ClusterView view = services.find(ClusterMetadata.class)
                .map(ClusterMetadata::view)
                .filter(now -> now.version() >= known.version())
                .orElse(null);
        if (view == null) {
            return known.byName();
        }
        users = new Users(view.version(), view.security().users());
        return view.security().users();
    }

    private record Users(long version, Map<String, Map<ScramMechanism, ScramCredential>> byName) {}

    private static void put(ByteBuffer to, byte[] bytes) {
        to.put(bytes, 0, Math.min(bytes.length, 512));
    }

    private byte[] hmac(byte[] bytes) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(new SecretKeySpec(key, ALGORITHM));
            return mac.doFinal(bytes);
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
