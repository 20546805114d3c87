//! tryton
