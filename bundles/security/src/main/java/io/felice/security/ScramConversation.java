package io.felice.security;

import static io.felice.api.ErrorCode.SASL_AUTHENTICATION_FAILED;

import io.felice.api.FeliceException;
import io.felice.api.security.Authenticator;
import io.felice.api.security.Principal;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One login with SCRAM. The messages (RFC 5802, section 7):
 *
 * <pre>
 * client  n,[a=authzid],n=user,r=nonce[,extensions]
 * server  r=nonce of client and server,s=salt,i=iterations
 * client  c=base64 of "n,[a=authzid],",r=nonce,p=proof
 * server  v=signature
 * </pre>
 */
final class ScramConversation implements Authenticator.Conversation {
    /** The longest message. */
    static final int MOST_BYTES = 8_192;

    private static final Pattern CLIENT_FIRST = Pattern.compile(
            "(?<header>n,(?:a=(?<authzid>[^,\0]+))?,)(?<bare>n=(?<name>[^,\0]+),r=(?<nonce>[\\x21-\\x7E&&[^,]]+)"
                    + "(?<extensions>(?:,[A-Za-z]+=[^,\0]+)*+))");
    private static final Pattern CLIENT_FINAL = Pattern.compile("(?<unproved>c=(?<header>[A-Za-z0-9+/=]+),"
            + "r=(?<nonce>[\\x21-\\x7E&&[^,]]+)(?:,(?!p=)[A-Za-z]+=[^,\0]+)*+),p=(?<proof>[A-Za-z0-9+/=]+)");
    private static final Pattern TOKEN = Pattern.compile("(^|,)tokenauth=", Pattern.CASE_INSENSITIVE);

    /** The header of a client that asks for no authorization id. */
    private static final String PLAIN_HEADER = "n,,";

    private final ScramMechanism mechanism;
    private final Function<String, Shown> users;
    private final Supplier<String> nonces;
    private Begun begun;

    /**
     * What the client is shown of a user.
     *
     * @param isReal false if nobody can log in with the credential
     */
    record Shown(ScramCredential credential, boolean isReal) {}

    /** What was said before the client's final message. */
    private record Begun(String user, String header, String bare, String nonce, String serverFirst, Shown shown) {}

    /** @param nonces gives the server's part of the nonce, which has no comma */
    ScramConversation(ScramMechanism mechanism, Function<String, Shown> users, Supplier<String> nonces) {
        this.mechanism = mechanism;
        this.users = users;
        this.nonces = nonces;
    }

    @Override
    public Authenticator.Reply respond(byte[] message) {
        if (message.length > MOST_BYTES) {
            throw malformed("has more than " + MOST_BYTES + " bytes");
        }
        String text = SaslText.utf8(message, 0, message.length);
        return begun == null ? first(text) : last(begun, text);
    }

    private Authenticator.Reply first(String text) {
        Matcher parts = CLIENT_FIRST.matcher(text);
        if (!parts.matches()) {
            throw malformed("is no client-first message without channel binding");
        }
        if (TOKEN.matcher(parts.group("extensions")).find()) {
            throw SASL_AUTHENTICATION_FAILED.because("Authentication failed: delegation tokens are not supported");
        }
        String user = SaslText.name(parts.group("name"));
        SaslText.checkAuthorizationId(
                Optional.ofNullable(parts.group("authzid")).map(SaslText::name).orElse(""), user);

        Shown shown = users.apply(user);
        String nonce = parts.group("nonce") + nonces.get();
        String serverFirst = "r=" + nonce + ",s="
                + Base64.getEncoder().encodeToString(shown.credential().salt()) + ",i="
                + shown.credential().iterations();
        begun = new Begun(user, parts.group("header"), parts.group("bare"), nonce, serverFirst, shown);
        return new Authenticator.Challenge(serverFirst.getBytes(StandardCharsets.UTF_8));
    }

    private Authenticator.Reply last(Begun so, String text) {
        Matcher parts = CLIENT_FINAL.matcher(text);
        if (!parts.matches()) {
            throw malformed("is no client-final message");
        }
        String header = new String(decoded(parts.group("header")), StandardCharsets.UTF_8);
        if (!header.equals(so.header()) && !header.equals(PLAIN_HEADER)) {
            throw malformed("asks for another channel binding than the first message");
        }
        // Kafka 3.9's rule: old librdkafka sends its own nonce in front of the whole one.
        if (!parts.group("nonce").endsWith(so.nonce())) {
            throw malformed("does not have the nonce of the server");
        }

        ScramCredential credential = so.shown().credential();
        byte[] messages =
                (so.bare() + "," + so.serverFirst() + "," + parts.group("unproved")).getBytes(StandardCharsets.UTF_8);
        boolean isProof = ScramKeys.isProof(mechanism, credential, messages, decoded(parts.group("proof")));
        if (!isProof || !so.shown().isReal()) {
            throw SASL_AUTHENTICATION_FAILED.because("Authentication failed during authentication due to invalid"
                    + " credentials with SASL mechanism " + mechanism.mechanism());
        }
        String signature =
                "v=" + Base64.getEncoder().encodeToString(ScramKeys.serverSignature(mechanism, credential, messages));
        return new Authenticator.Authenticated(
                signature.getBytes(StandardCharsets.UTF_8), Principal.user(so.user()), Optional.empty());
    }

    private byte[] decoded(String base64) {
        try {
            return Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException noBase64) {
            throw malformed("has a part that is not in Base64");
        }
    }

    private FeliceException malformed(String what) {
        return SASL_AUTHENTICATION_FAILED.because(
                "Authentication failed: the message of " + mechanism.mechanism() + " " + what);
    }
}
