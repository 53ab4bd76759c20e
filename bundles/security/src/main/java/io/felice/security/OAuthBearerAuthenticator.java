package io.felice.security;

import static io.felice.api.ErrorCode.SASL_AUTHENTICATION_FAILED;

import io.felice.api.FeliceException;
import io.felice.api.security.Authenticator;
import io.felice.api.security.Principal;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The mechanism OAUTHBEARER (RFC 7628). The client sends {@code n,[a=authzid],} and, each after a byte 1, {@code
 * auth=Bearer TOKEN} and other pairs, which do not matter. A client with an invalid token gets an error in JSON, answers
 * with a byte 1, and is refused.
 */
final class OAuthBearerAuthenticator implements Authenticator {
    static final String NAME = "OAUTHBEARER";

    private static final int MOST_BYTES = 65_536;
    private static final byte[] NOTHING = {};
    private static final byte[] DUMMY = {1};
    private static final String INVALID = "{\"status\":\"invalid_token\"}";
    private static final Pattern MESSAGE = Pattern.compile(
            "n,(?:a=(?<authzid>[^,\0\1]+))?,\1" + "(?<pairs>(?:[A-Za-z]+=[\\x21-\\x7E \t\r\n]*+\1)++)\1");
    private static final Pattern BEARER =
            Pattern.compile("auth=Bearer +(?<token>[-A-Za-z0-9._~+/=]+)", Pattern.CASE_INSENSITIVE);

    private final TokenCheck tokens;

    OAuthBearerAuthenticator(TokenCheck tokens) {
        this.tokens = tokens;
    }

    @Override
    public Conversation begin(Client client) {
        return new Exchange();
    }

    private final class Exchange implements Conversation {
        private boolean isInvalid;

        @Override
        public Reply respond(byte[] message) {
            if (isInvalid) {
                throw SASL_AUTHENTICATION_FAILED.because(
                        Arrays.equals(message, DUMMY) ? INVALID : "Authentication failed: the token is invalid");
            }
            Initial initial = Initial.parsed(message);
            Optional<TokenCheck.Token> token = tokens.check(initial.token());
            if (token.isEmpty()) {
                isInvalid = true;
                return new Challenge(INVALID.getBytes(StandardCharsets.UTF_8));
            }
            SaslText.checkAuthorizationId(initial.authorizationId(), token.get().user());
            return new Authenticated(
                    NOTHING,
                    Principal.user(token.get().user()),
                    Optional.of(token.get().validUntil()));
        }
    }

    /** The client's first message. */
    private record Initial(String authorizationId, String token) {
        static Initial parsed(byte[] message) {
            if (message.length > MOST_BYTES) {
                throw malformed();
            }
            Matcher parts = MESSAGE.matcher(SaslText.utf8(message, 0, message.length));
            if (!parts.matches()) {
                throw malformed();
            }
            List<String> tokens = Arrays.stream(parts.group("pairs").split("\1"))
                    .map(BEARER::matcher)
                    .filter(Matcher::matches)
                    .map(bearer -> bearer.group("token"))
                    .toList();
            if (tokens.size() != 1) {
                throw malformed();
            }
            String authorizationId = Optional.ofNullable(parts.group("authzid"))
                    .map(SaslText::name)
                    .orElse("");
            return new Initial(authorizationId, tokens.get(0));
        }

        private static FeliceException malformed() {
            return SASL_AUTHENTICATION_FAILED.because("Invalid OAUTHBEARER client first message");
        }

        @Override
        public String toString() {
            return "the first message of a client";
        }
    }
}
