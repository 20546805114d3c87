//! The page that the server embeds
