package io.felice.handlers;

import io.felice.protocol.Apis;
import java.util.List;
import org.apache.kafka.common.message.AlterClientQuotasRequestData;
import org.apache.kafka.common.message.AlterUserScramCredentialsRequestData;
import org.apache.kafka.common.message.AlterUserScramCredentialsRequestData.ScramCredentialDeletion;
import org.apache.kafka.common.message.AlterUserScramCredentialsRequestData.ScramCredentialUpsertion;
import org.apache.kafka.common.message.CreateAclsRequestData;
import org.apache.kafka.common.message.CreateAclsRequestData.AclCreation;
import org.apache.kafka.common.message.DeleteAclsRequestData;
import org.apache.kafka.common.message.DeleteAclsRequestData.DeleteAclsFilter;
import org.apache.kafka.common.message.DescribeAclsRequestData;
import org.apache.kafka.common.message.DescribeClientQuotasRequestData;
import org.apache.kafka.common.message.DescribeClientQuotasRequestData.ComponentData;
import org.apache.kafka.common.message.DescribeUserScramCredentialsRequestData;
import org.apache.kafka.common.protocol.ApiMessage;

/** One valid request for each API about users, ACLs and quotas. */
final class ValidSecurityRequests {
    private static final byte ANY = 1;
    private static final byte TOPIC = 2;
    private static final byte LITERAL = 3;
    private static final byte READ = 3;
    private static final byte ALLOW = 3;
    private static final byte SHA_256 = 1;

    private ValidSecurityRequests() {}

    static ApiMessage of(short key) {
        return switch (key) {
            case Apis.DESCRIBE_ACLS -> new DescribeAclsRequestData()
                    .setResourceTypeFilter(ANY)
                    .setPatternTypeFilter(ANY)
                    .setResourceNameFilter(null)
                    .setPrincipalFilter(null)
                    .setHostFilter(null)
                    .setOperation(ANY)
                    .setPermissionType(ANY);
            case Apis.CREATE_ACLS -> new CreateAclsRequestData().setCreations(List.of(acl()));
            case Apis.DELETE_ACLS -> new DeleteAclsRequestData()
                    .setFilters(List.of(new DeleteAclsFilter()
                            .setResourceTypeFilter(TOPIC)
                            .setPatternTypeFilter(LITERAL)
                            .setResourceNameFilter(null)
                            .setPrincipalFilter(null)
                            .setHostFilter(null)
                            .setOperation(ANY)
                            .setPermissionType(ANY)));
            case Apis.DESCRIBE_CLIENT_QUOTAS -> new DescribeClientQuotasRequestData()
                    .setComponents(List.of(new ComponentData()
                            .setEntityType("user")
                            .setMatchType((byte) 0)
                            .setMatch("alice")));
            case Apis.ALTER_CLIENT_QUOTAS -> new AlterClientQuotasRequestData()
                    .setEntries(List.of(new AlterClientQuotasRequestData.EntryData()
                            .setEntity(List.of(new AlterClientQuotasRequestData.EntityData()
                                    .setEntityType("user")
                                    .setEntityName("alice")))
                            .setOps(List.of(new AlterClientQuotasRequestData.OpData()
                                    .setKey("producer_byte_rate")
                                    .setValue(1000)))));
            case Apis.DESCRIBE_USER_SCRAM_CREDENTIALS -> new DescribeUserScramCredentialsRequestData().setUsers(null);
            case Apis.ALTER_USER_SCRAM_CREDENTIALS -> new AlterUserScramCredentialsRequestData()
                    .setUpsertions(List.of(password("alice")))
                    .setDeletions(
                            List.of(new ScramCredentialDeletion().setName("bob").setMechanism(SHA_256)));
            default -> throw new IllegalArgumentException("There is no valid request for API " + key + " yet");
        };
    }

    static AclCreation acl() {
        return new AclCreation()
                .setResourceType(TOPIC)
                .setResourceName("t")
                .setResourcePatternType(LITERAL)
                .setPrincipal("User:alice")
                .setHost("*")
                .setOperation(READ)
                .setPermissionType(ALLOW);
    }

    static ScramCredentialUpsertion password(String user) {
        return new ScramCredentialUpsertion()
                .setName(user)
                .setMechanism(SHA_256)
                .setIterations(4096)
                .setSalt("salt of 16 bytes".getBytes())
                .setSaltedPassword(new byte[32]);
    }
}
