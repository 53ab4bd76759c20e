package io.felice.handlers;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.UserMechanism;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.Outcome;
import io.felice.api.security.Operation;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.kafka.common.message.AlterUserScramCredentialsRequestData;
import org.apache.kafka.common.message.AlterUserScramCredentialsRequestData.ScramCredentialDeletion;
import org.apache.kafka.common.message.AlterUserScramCredentialsRequestData.ScramCredentialUpsertion;
import org.apache.kafka.common.message.AlterUserScramCredentialsResponseData;
import org.apache.kafka.common.message.AlterUserScramCredentialsResponseData.AlterUserScramCredentialsResult;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * Sets and removes the passwords of users (KIP-554). The client sends salted passwords, with which it could log in; the
 * cluster keeps only the keys that are computed from them.
 */
@Component
@Serves(key = Apis.ALTER_USER_SCRAM_CREDENTIALS)
public final class AlterUserScramCredentialsHandler
        implements RequestHandler<AlterUserScramCredentialsRequestData, AlterUserScramCredentialsResponseData> {
    private final Admin admin;
    private final ClusterMetadata metadata;
    private final Rights rights;

    @Activate
    public AlterUserScramCredentialsHandler(
            @Reference Admin admin, @Reference ClusterMetadata metadata, @Reference Rights rights) {
        this.admin = admin;
        this.metadata = metadata;
        this.rights = rights;
    }

    @Override
    public CompletionStage<AlterUserScramCredentialsResponseData> handle(
            AlterUserScramCredentialsRequestData request, RequestContext context) {
        return rights.requireOnCluster(context, Operation.ALTER, now -> alter(request, now));
    }

    private CompletionStage<AlterUserScramCredentialsResponseData> alter(
            AlterUserScramCredentialsRequestData request, RequestContext context) {
        Changes changes = new Changes();
        for (ScramCredentialDeletion deletion : request.deletions()) {
            changes.add(deletion.name(), deletion.mechanism(), mechanism -> Optional.empty());
        }
        for (ScramCredentialUpsertion upsertion : request.upsertions()) {
            changes.add(
                    upsertion.name(),
                    upsertion.mechanism(),
                    mechanism -> Optional.of(credential(mechanism, upsertion)));
            Arrays.fill(upsertion.saltedPassword(), (byte) 0);
        }
        return changes.make(context);
    }

    /** The changes of one request. A user of whom one change is wrong stays as it is; the others are not affected. */
    private final class Changes {
        private final Map<UserMechanism, Optional<ScramCredential>> wanted = new LinkedHashMap<>();
        private final Map<String, AlterUserScramCredentialsResult> results = new LinkedHashMap<>();

        void add(String user, byte mechanism, Function<ScramMechanism, Optional<ScramCredential>> change) {
            results.computeIfAbsent(
                    user,
                    name -> new AlterUserScramCredentialsResult().setUser(name).setErrorMessage(null));
            try {
                UserMechanism item = item(user, mechanism);
                if (wanted.putIfAbsent(item, change.apply(item.mechanism())) != null) {
                    throw ErrorCode.DUPLICATE_RESOURCE.because(
                            "A user credential cannot be altered twice in the same request");
                }
            } catch (FeliceException refused) {
                refuse(user, Outcome.failed(refused));
            }
        }

        private void refuse(String user, Outcome<Void> outcome) {
            results.get(user).setErrorCode(outcome.error().code()).setErrorMessage(outcome.message());
        }

        CompletionStage<AlterUserScramCredentialsResponseData> make(RequestContext context) {
            wanted.keySet().removeIf(item -> results.get(item.user()).errorCode() != ErrorCode.NONE.code());
            Decisions<UserMechanism, Void> decisions = new Decisions<>();
            for (UserMechanism item : wanted.keySet()) {
                decisions.add(() -> item, outcome -> {
                    if (outcome.isFailed()) {
                        refuse(item.user(), outcome);
                    }
                });
            }
            return decisions
                    .make(
                            items -> metadata.replayed(
                                    admin.askedBy(context.requester()).alterUsers(wanted)),
                            context)
                    .thenApply(done -> {
                        AlterUserScramCredentialsResponseData response = new AlterUserScramCredentialsResponseData();
                        response.results().addAll(results.values());
                        return response;
                    });
        }
    }

    private static UserMechanism item(String user, byte code) {
        if (user.isEmpty()) {
            throw ErrorCode.UNACCEPTABLE_CREDENTIAL.because("Username must not be empty");
        }
        return Arrays.stream(ScramMechanism.values())
                .filter(mechanism -> mechanism.code() == code)
                .findFirst()
                .map(mechanism -> new UserMechanism(user, mechanism))
                .orElseThrow(() -> ErrorCode.UNSUPPORTED_SASL_MECHANISM.because("Unknown SCRAM mechanism"));
    }

    /** What the cluster keeps of a salted password (RFC 5802, section 3). */
    private static ScramCredential credential(ScramMechanism mechanism, ScramCredentialUpsertion upsertion) {
        try {
            MessageDigest hash = MessageDigest.getInstance(mechanism.hash());
            if (upsertion.saltedPassword().length != hash.getDigestLength()) {
                throw ErrorCode.UNACCEPTABLE_CREDENTIAL.because("The salted password has a wrong length");
            }
            Mac mac = Mac.getInstance(mechanism.mac());
            mac.init(new SecretKeySpec(upsertion.saltedPassword(), mechanism.mac()));
            byte[] clientKey = mac.doFinal("Client Key".getBytes(US_ASCII));
            byte[] serverKey = mac.doFinal("Server Key".getBytes(US_ASCII));
            return new ScramCredential(upsertion.salt(), hash.digest(clientKey), serverKey, upsertion.iterations());
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(mechanism + " cannot be computed", impossible);
        }
    }
}
