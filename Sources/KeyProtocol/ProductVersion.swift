/// The version of `secure-init` and `secure-store`, which are released together.
public enum ProductVersion {
    /// Semantic version.
    public static let text = "1.0.0"
}
