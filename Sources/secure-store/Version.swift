/// Which version this is.
enum Version {
    /// Semantic version.
    static let text = "0.1.0"
}
