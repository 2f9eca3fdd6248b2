package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;

/** Encryption between members and towards clients. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record TlsSpec(@Default("{\"mode\":\"Managed\"}") Plane client, @Default("{\"mode\":\"Managed\"}") Plane peer) {
  static final String DEFAULT = "{\"client\":{\"mode\":\"Managed\"},\"peer\":{\"mode\":\"Managed\"}}";

  /** Certificates from an authority of the operator's own on both planes, certificates of clients optional. */
  public static final TlsSpec DEFAULTS = new TlsSpec(null, null);

  public TlsSpec {
    client = client == null ? new Plane(null, null, null, null) : client;
    peer = peer == null ? new Plane(null, null, null, null) : peer;
  }

  /**
   * One plane.
   *
   * @param secretRef name of a secret with ca.crt, tls.crt and tls.key; with mode Secret only
   * @param issuerRef with mode CertManager only
   * @param clientAuth whether who connects must show a certificate; between peers always required
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @ValidationRule(value = "(self.mode == 'Secret') == has(self.secretRef)", message = "secretRef goes with mode Secret")
  @ValidationRule(value = "(self.mode == 'CertManager') == has(self.issuerRef)", message = "issuerRef goes with mode CertManager")
  public record Plane(
      @Required @Default("Managed") Mode mode, @Size(max = 253) String secretRef, IssuerRef issuerRef, @Default("Optional") ClientAuth clientAuth) {
    public Plane {
      mode = mode == null ? Mode.MANAGED : mode;
      clientAuth = clientAuth == null ? ClientAuth.OPTIONAL : clientAuth;
    }

    /** This plane is encrypted. */
    public boolean on() {
      return mode != Mode.DISABLED;
    }
  }

  /** An issuer of cert-manager. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record IssuerRef(
      @Required @Size(max = 253) String name, @Default("Issuer") @Size(max = 63) String kind, @Default("cert-manager.io") @Size(max = 253) String group) {
    public IssuerRef {
      kind = kind == null ? "Issuer" : kind;
      group = group == null ? "cert-manager.io" : group;
    }
  }

  /** Where certificates come from. */
  public enum Mode {
    @JsonProperty("Disabled")
    DISABLED,
    @JsonProperty("Managed")
    MANAGED,
    @JsonProperty("CertManager")
    CERT_MANAGER,
    @JsonProperty("Secret")
    SECRET
  }

  /** Whether clients show a certificate. */
  public enum ClientAuth {
    @JsonProperty("None")
    NONE,
    @JsonProperty("Optional")
    OPTIONAL,
    @JsonProperty("Required")
    REQUIRED
  }
}
