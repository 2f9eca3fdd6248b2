package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.fabric8.generator.annotation.Size;
import java.util.List;

/**
 * The one procedure that is under way. It is written before each of its steps, so that whoever reads it after a crash can finish.
 *
 * @param member that it is about, empty for the cluster
 * @param step which of the procedure's steps comes next or is being confirmed
 * @param startedAt when the procedure began
 * @param deadline after this it is given up
 * @param attempt how often the present step was carried out
 * @param stepSince when the present step began
 * @param target member that shall lead, while leadership is moved
 * @param term term in which that was asked; only a greater one confirms. Of a restore in place: the newest revision that anybody may have seen before
 * @param tried members that leadership was asked to go to, in vain or not
 * @param memberID of the member that is added or removed, hexadecimal
 * @param podUID pod that is to go
 * @param done members that this procedure has finished with
 * @param outcome of the action that was issued last: empty while nothing is known of it, "done", or what went wrong
 * @param operation the KvorumOperation that asked for it, empty for none
 * @param reason why it began
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record CurrentAction(
    Type type,
    @Size(max = Api.NAME) String member,
    @Size(max = 64) String step,
    @Size(max = 64) String startedAt,
    @Size(max = 64) String deadline,
    Integer attempt,
    @Size(max = 64) String stepSince,
    @Size(max = Api.NAME) String target,
    Long term,
    @Size(max = 16) List<@Size(max = Api.NAME) String> tried,
    @Size(max = 16) String memberID,
    @Size(max = 64) String podUID,
    @Size(max = 32) List<@Size(max = Api.NAME) String> done,
    @Size(max = 1024) String outcome,
    @Size(max = Api.NAME) String operation,
    @Size(max = 256) String reason) {
  /** The {@link #outcome} of an action that went well. */
  public static final String DONE = "done";

  public CurrentAction {
    member = Api.orEmpty(member);
    step = Api.orEmpty(step);
    startedAt = Api.orEmpty(startedAt);
    deadline = Api.orEmpty(deadline);
    attempt = attempt == null ? 0 : attempt;
    stepSince = Api.orEmpty(stepSince);
    target = Api.orEmpty(target);
    term = term == null ? 0 : term;
    tried = tried == null ? List.of() : List.copyOf(tried);
    memberID = Api.orEmpty(memberID);
    podUID = Api.orEmpty(podUID);
    operation = Api.orEmpty(operation);
    done = done == null ? List.of() : List.copyOf(done);
    outcome = Api.orEmpty(outcome);
    reason = Api.orEmpty(reason);
  }

  /** The procedures. */
  public enum Type {
    @JsonProperty("Bootstrap")
    BOOTSTRAP,
    @JsonProperty("AddMember")
    ADD_MEMBER,
    @JsonProperty("RemoveMember")
    REMOVE_MEMBER,
    @JsonProperty("RestartMember")
    RESTART_MEMBER,
    @JsonProperty("TransferLeader")
    TRANSFER_LEADER,
    @JsonProperty("Defragment")
    DEFRAGMENT,
    @JsonProperty("RelieveQuota")
    RELIEVE_QUOTA,
    @JsonProperty("RecoverQuorum")
    RECOVER_QUORUM,
    @JsonProperty("RestoreInPlace")
    RESTORE_IN_PLACE,
    @JsonProperty("EnableAuth")
    ENABLE_AUTH,
    @JsonProperty("DisableAuth")
    DISABLE_AUTH,
    @JsonProperty("RotateCertificates")
    ROTATE_CERTIFICATES,
    @JsonProperty("Compact")
    COMPACT
  }
}
